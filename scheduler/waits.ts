import type { AppId, InstanceId } from '../core/model/ids.ts';
import type { Instance } from '../core/model/instance.ts';
import type { Waiting } from './decision.ts';
import { isDone } from './deployments.ts';
import { drainVerdict } from './drain.ts';
import { isCurrent, type Member, membersOf } from './view.ts';
import { partsOf, type Want, wantOf } from './want.ts';
import type { World } from './world.ts';

/** What one instance, or one not launched yet, waits for. `detail` is for people and begins after "waits: ". */
export type Wait = {
  /**
   * `backoff`, `no-agent`: not launched. `start`, `health`: launched, not ready. `agent`: its agent is silent. `drain`,
   * `stop`: on its way out. `replacement`: serves until one that replaces it does. `step`: the app's turn in its deployment
   * has not come.
   */
  readonly kind:
    | 'backoff'
    | 'no-agent'
    | 'start'
    | 'health'
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

/** Everything of an app that is not yet as it is wanted, worked out when somebody asks; empty: nothing waits. */
export function waitsOf(id: AppId, world: World, waiting: Waiting | undefined): readonly Wait[] {
  const parts = partsOf(world.snapshot);
  const want = wantOf(world.snapshot.table('apps').get(id), id, parts.get(id));
  return [
    ...turnWaits(id, world),
    ...(waiting === undefined ? [] : [launchWait(waiting, world)]),
    ...membersOf(world, id).flatMap((member) => memberWait(member, want, world) ?? []),
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

function memberWait(member: Member, want: Want | undefined, world: World): Wait | undefined {
  const { placement, instance, reach, ready } = member;
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
  if (!ready) return notReady(instance, host, wait);
  if (member.leaving) return wait('replacement', `${host} is drained; it serves until others make up for it`);
  if (want?.replace === true && !isCurrent(member, want.app))
    return wait('replacement', `it serves until enough of version ${want.app.version} do`);
  return undefined;
}

function notReady(
  instance: Instance | undefined,
  host: string,
  wait: (kind: Wait['kind'], detail: string, since?: number) => Wait,
): Wait {
  const state = instance?.state;
  if (state === undefined) return wait('start', `${host} has not said anything of it`);
  if (state.kind === 'staging') return wait('start', `${state.step} on ${host}`, state.since);
  if (state.kind !== 'running') return wait('stop', `${state.kind} on ${host}`);
  const failing = state.health.find((result) => result !== null && !result.alive);
  if (failing === undefined || failing === null)
    return wait('health', `running on ${host}, not every health check has passed yet`, state.since);
  const cause = failing.lastFailureCause === undefined ? '' : `: ${failing.lastFailureCause}`;
  const times = `${failing.consecutiveFailures} time${failing.consecutiveFailures === 1 ? '' : 's'} in a row`;
  return wait(
    'health',
    `its health check on ${host} failed ${times}${cause}`,
    failing.lastFailure ?? state.since,
  );
}
