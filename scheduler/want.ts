import type { App } from '../core/model/app.ts';
import type { Deployment, DeploymentAction } from '../core/model/deployment.ts';
import type { AppId, InstanceId } from '../core/model/ids.ts';
import type { Snapshot } from '../core/state/snapshot.ts';

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

/** An app's part in the deployment that has it. */
export type Part = {
  readonly deployment: Deployment;
  /** Index of the step that moves the app; undefined: none does. */
  readonly moveAt?: number;
  /** What the present step does with the app. */
  readonly action?: DeploymentAction;
};

/** The part of every app that is in a deployment; no app is in two. */
export function partsOf(snapshot: Snapshot): ReadonlyMap<AppId, Part> {
  const parts = new Map<AppId, Part>();
  for (const deployment of snapshot.table('deployments').values()) {
    for (const app of deployment.affectedApps) parts.set(app, { deployment });
    for (const [index, step] of deployment.steps.entries())
      for (const action of step.actions) {
        const part = parts.get(action.app) ?? { deployment };
        parts.set(action.app, {
          ...part,
          ...(moves(action) && part.moveAt === undefined ? { moveAt: index } : {}),
          ...(index === deployment.step ? { action } : {}),
        });
      }
  }
  return parts;
}

/**
 * An app in a deployment keeps its old definition until its step is reached (its dependencies come first), is moved by
 * the action of its step, and is held at its new definition afterwards. Outside deployments the definition counts.
 */
export function wantOf(app: App | undefined, id: AppId, part: Part | undefined): Want | undefined {
  if (part === undefined) return app && held(app);
  const { deployment, moveAt, action } = part;
  if (moveAt !== undefined && moveAt > deployment.step) return beforeItsStep(deployment, id);
  if (app === undefined || action?.kind === 'StopApplication') return undefined;
  return {
    app,
    target: app.instances,
    replace: action?.kind === 'RestartApplication',
    sentenced: new Set(action === undefined ? [] : deployment.sentenced),
  };
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
