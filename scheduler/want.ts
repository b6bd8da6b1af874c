import type { App } from '../core/model/app.ts';
import type { Deployment, DeploymentAction } from '../core/model/deployment.ts';
import type { AppId, InstanceId } from '../core/model/ids.ts';
import type { World } from './world.ts';

/**
 * What is wanted of an app at this moment: the definition to launch, how many, and whether instances of an older
 * configuration are to be replaced.
 */
export type Want = {
  readonly app: App;
  readonly target: number;
  readonly replace: boolean;
  /** Instances that end before any other. */
  readonly sentenced: ReadonlySet<InstanceId>;
};

/**
 * An app in a deployment keeps its old definition until its step is reached (its dependencies come first), is moved by
 * the action of its step, and is held at its new definition afterwards. Outside deployments the definition counts.
 */
export function wantOf(id: AppId, world: World): Want | undefined {
  const app = world.snapshot.table('apps').get(id);
  const deployment = deploymentOf(id, world);
  if (deployment === undefined) return app && held(app);
  const move = deployment.steps.findIndex((step) =>
    step.actions.some((action) => action.app === id && moves(action)),
  );
  if (move > deployment.step) return beforeItsStep(deployment, id);
  const action = deployment.steps[deployment.step]?.actions.find((candidate) => candidate.app === id);
  if (app === undefined || action?.kind === 'StopApplication') return undefined;
  return {
    app,
    target: app.instances,
    replace: action?.kind === 'RestartApplication',
    sentenced: new Set(action === undefined ? [] : deployment.sentenced),
  };
}

export function deploymentOf(id: AppId, world: World): Deployment | undefined {
  return [...world.snapshot.table('deployments').values()].find((deployment) =>
    deployment.affectedApps.includes(id),
  );
}

function moves(action: DeploymentAction): boolean {
  return action.kind !== 'StartApplication';
}

function beforeItsStep(deployment: Deployment, id: AppId): Want | undefined {
  const original = deployment.originals[id] ?? undefined;
  return original && held(original);
}

function held(app: App): Want {
  return { app, target: app.instances, replace: false, sentenced: new Set() };
}
