import type { Deployment, DeploymentAction } from '../core/model/deployment.ts';
import type { AppId } from '../core/model/ids.ts';
import type { MasterEvent } from '../core/state/event-bus.ts';
import type { Write } from '../core/state/store.ts';
import { isCurrent, membersOf } from './view.ts';
import type { World } from './world.ts';

export type StepDecision = { readonly writes: readonly Write[]; readonly events: readonly MasterEvent[] };

export type StepOptions = {
  readonly deployments: readonly Deployment[];
  /** Apps of which this round still changes instances: the step is judged on what those changes lead to. */
  readonly busy: ReadonlySet<AppId>;
  /** Apps whose action is known to be done; grows. */
  readonly done: Set<AppId>;
};

/** Moves every deployment on whose step is done. */
export function stepDecision(world: World, { deployments, busy, done }: StepOptions): StepDecision {
  const decisions = deployments
    .filter((deployment) => !deployment.affectedApps.some((app) => busy.has(app)))
    .map((deployment) => advance(deployment, world, done));
  return { writes: decisions.flatMap((d) => d.writes), events: decisions.flatMap((d) => d.events) };
}

function advance(deployment: Deployment, world: World, known: Set<AppId>): StepDecision {
  const step = deployment.steps[deployment.step];
  if (step !== undefined && !step.actions.every((action) => wasDone(action, world, known)))
    return { writes: [], events: [] };
  const next = { ...deployment, step: deployment.step + 1 };
  const done: readonly MasterEvent[] =
    step === undefined ? [] : [{ kind: 'deployment-step-done', deployment }];
  if (next.step < deployment.steps.length) {
    return {
      writes: [{ kind: 'put', table: 'deployments', key: deployment.id, value: next }],
      events: [...done, { kind: 'deployment-step', deployment: next }],
    };
  }
  return {
    writes: [{ kind: 'delete', table: 'deployments', key: deployment.id }],
    events: [...done, { kind: 'deployment-done', deployment }, ...terminated(deployment)],
  };
}

function terminated(deployment: Deployment): readonly MasterEvent[] {
  return deployment.steps
    .flatMap((step) => step.actions)
    .filter((action) => action.kind === 'StopApplication')
    .map((action) => ({ kind: 'app-terminated', appId: action.app }));
}

function wasDone(action: DeploymentAction, world: World, known: Set<AppId>): boolean {
  if (known.has(action.app)) return true;
  const done = isDone(action, world);
  if (done) known.add(action.app);
  return done;
}

/** Marathon §15.3. Instances on lost agents are neither waited for nor counted. */
export function isDone(action: DeploymentAction, world: World): boolean {
  if (action.kind === 'StartApplication') return true;
  const app = world.snapshot.table('apps').get(action.app);
  const members = membersOf(world, action.app).filter((member) => member.reach === 'present');
  if (action.kind === 'StopApplication' || app === undefined) return members.length === 0;
  const running = members.filter((member) => member.placement.goal === 'run');
  const settled = running.length === members.length && running.every((member) => member.passed);
  const current = running.every((member) => isCurrent(member, app));
  return settled && running.length === app.instances && (action.kind === 'ScaleApplication' || current);
}
