import { fatalFailures } from '../core/model/health-check.ts';
import type { AppId, InstanceId } from '../core/model/ids.ts';
import type { Waiting } from './decision.ts';
import { isDone } from './deployments.ts';
import { drainVerdict } from './drain.ts';
import { isCurrent, type Member, membersOf } from './view.ts';
import { partsOf, type Want, wantOf } from './want.ts';
import type { World } from './world.ts';

/** What one instance, or one not launched yet, waits for. `detail` is for people and begins after "waits: ". */
export type Wait = {
  /**
   * `backoff`, `no-agent`: not launched. `start`, `health`, `readiness`: launched, not ready. `brake`: it would be ended for
   * its health if not so many were. `agent`: its agent is silent. `drain`,
   * `stop`: on its way out. `replacement`: serves until one that replaces it does. `step`: the app's turn in its deployment
   * has not come.
   */
  readonly kind:
    | 'backoff'
    | 'no-agent'
    | 'start'
    | 'health'
    | 'readiness'
    | 'brake'
    | 'agent'
    | 'drain'
    | 'stop'
    | 'replacement'
    | 'step';
  readonly instanceId?: InstanceId;
  /** How many wait for the same; 1 for a launched instance. */
  readonly count: number;
  /** Since when, ms since the epoch, where it is known. */
  readonly since?: number;
  readonly detail: string;
};

/** What the last round found out of an app. */
export type Known = {
  readonly waiting: Waiting | undefined;
  /** Why instances are not ended for their health. */
  readonly held: ReadonlyMap<InstanceId, string> | undefined;
};

/** Everything of an app that is not yet as it is wanted, worked out when somebody asks; empty: nothing waits. */
export function waitsOf(id: AppId, world: World, { waiting, held }: Known): readonly Wait[] {
  const parts = partsOf(world.snapshot);
  const want = wantOf(world.snapshot.table('apps').get(id), id, parts.get(id));
  return [
    ...turnWaits(id, world),
    ...(waiting === undefined ? [] : [launchWait(waiting, world)]),
    ...membersOf(world, id).flatMap((member) => memberWait(member, want, { world, held }) ?? []),
  ];
}

/** Apps of earlier steps come first. */
function turnWaits(id: AppId, world: World): readonly Wait[] {
  const part = partsOf(world.snapshot).get(id);
  if (part?.moveAt === undefined || part.moveAt <= part.deployment.step) return [];
  const { deployment } = part;
  const ahead = (deployment.steps[deployment.step]?.actions ?? []).filter((action) => !isDone(action, world));
  const apps = ahead.map(({ app }) => app).join(', ');
  return [{ kind: 'step', count: 1, since: deployment.startedAt, detail: `its turn comes after ${apps}` }];
}

function launchWait(waiting: Waiting, { now }: World): Wait {
  const { kind, count } = waiting;
  if (kind === 'backoff') {
    const seconds = Math.max(0, Math.ceil((waiting.until - now) / 1000));
    return { kind, count, detail: `the last one failed, the next try is in ${seconds} s` };
  }
  const { nearest, refusals } = waiting;
  if (nearest !== undefined)
    return {
      kind,
      count,
      detail: `no agent fits; it fits on ${nearest.hostname} if ${nearest.conditions.join(' and ')}`,
    };
  return { kind, count, detail: refusals[0]?.detail ?? 'no agent is connected' };
}

function memberWait(
  member: Member,
  want: Want | undefined,
  { world, held }: { world: World; held: Known['held'] },
): Wait | undefined {
  const { placement, reach, ready } = member;
  const wait = (kind: Wait['kind'], detail: string, since?: number): Wait => ({
    kind,
    instanceId: placement.instanceId,
    count: 1,
    ...(since === undefined ? {} : { since }),
    detail,
  });
  const host = world.snapshot.table('agents').get(placement.agentId)?.hostname ?? placement.agentId;
  if (reach !== 'present') return wait('agent', `nothing is heard of ${host}, the instance is ${reach}`);
  if (placement.goal === 'drain')
    return wait('drain', drainVerdict(placement, world).reason, placement.drainingSince);
  if (placement.goal === 'stop') return wait('stop', `${host} has not reported its end`);
  const holding = held?.get(placement.instanceId);
  if (holding !== undefined) return wait('brake', `its health checks failed on ${host}, but ${holding}`);
  if (!ready) return notReady(member, host, wait);
  const isOld = want?.replace === true && !isCurrent(member, want.app);
  if (!member.passed && !isOld && isDeploying(placement.appId, world)) return unreadyWait(member, host, wait);
  if (member.leaving) return wait('replacement', `${host} is drained; it serves until others make up for it`);
  if (isOld) return wait('replacement', `it serves until enough of version ${want.app.version} do`);
  return undefined;
}

type MakeWait = (kind: Wait['kind'], detail: string, since?: number) => Wait;

/** Outside deployments nobody waits for readiness (Marathon §14.5). */
function isDeploying(app: AppId, { snapshot }: World): boolean {
  return partsOf(snapshot).get(app)?.action !== undefined;
}

function unreadyWait({ instance, app }: Member, host: string, wait: MakeWait): Wait {
  const state = instance?.state.kind === 'running' ? instance.state : undefined;
  const name = app?.readinessChecks[0]?.name ?? 'readiness check';
  const status = state?.readiness?.lastResponse?.status;
  const said = status === undefined ? '' : `, it answered ${status}`;
  const detail =
    state?.readiness === undefined
      ? `running on ${host}, its check ${name} has not been answered yet`
      : `running on ${host}, its check ${name} says that it is not ready${said}`;
  return wait('readiness', detail, state?.since);
}

function notReady({ instance, app }: Member, host: string, wait: MakeWait): Wait {
  const state = instance?.state;
  if (state === undefined) return wait('start', `${host} has not said anything of it`);
  if (state.kind === 'staging') return wait('start', `${state.step} on ${host}`, state.since);
  if (state.kind !== 'running') return wait('stop', `${state.kind} on ${host}`);
  const index = state.health.findIndex((result) => result !== null && !result.alive);
  const failing = state.health[index];
  if (failing === undefined || failing === null) {
    const passed = state.health.filter((result) => result?.alive).length;
    const counts = `${passed} of ${state.health.length} health checks passed`;
    return wait('health', `running on ${host}, ${counts}`, state.since);
  }
  const check = app?.healthChecks[index];
  const most = check === undefined ? Number.POSITIVE_INFINITY : fatalFailures(check);
  const end = Number.isFinite(most) ? `; it is ended at the ${ordinal(most)}` : '';
  const cause = failing.lastFailureCause === undefined ? '' : `: ${failing.lastFailureCause}`;
  const times = `${failing.consecutiveFailures} time${failing.consecutiveFailures === 1 ? '' : 's'} in a row`;
  return wait(
    'health',
    `its health check on ${host} failed ${times}${cause}${end}`,
    failing.lastFailure ?? state.since,
  );
}

function ordinal(count: number): string {
  const tens = count % 100;
  const ending = tens > 10 && tens < 14 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th');
  return `${count}${ending}`;
}
