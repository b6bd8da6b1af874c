import { whyShort } from '../app/waiting.ts';
import type { AppInfo, DeploymentInfo, QueueItem } from '../master/answers.ts';
import { count } from '../show/words.ts';

export type Situation = {
  readonly deployment: DeploymentInfo;
  /** Undefined: it is gone (being removed), or not known yet. */
  readonly app: AppInfo | undefined;
  readonly waiting: QueueItem | undefined;
};

/** `/shop/web: step 1 of 2 (scale), 1/3 running, 1/3 healthy; waits: needs 4 cpus, h1 has 1.5 free`. */
export function progressText(id: string, { deployment, app, waiting }: Situation): string {
  const { currentStep, totalSteps, currentActions } = deployment;
  const actions = [...new Set(currentActions.map(({ action }) => actionWord(action)))].join(', ');
  const step = totalSteps > 1 ? `step ${currentStep} of ${totalSteps}${actions && ` (${actions})`}` : actions;
  const parts = [step, ...(app === undefined ? [] : countsOf(app))].filter((part) => part !== '');
  const waits = waiting === undefined ? '' : `; waits: ${whyShort(waiting)}`;
  return `${id}: ${parts.join(', ')}${waits}${failureOf(app, deployment)}`;
}

/** `StartApplication` to `start`. */
export function actionWord(action: string): string {
  return action.replace(/(Application|Pod)$/, '').toLowerCase();
}

export function countsOf(app: AppInfo): readonly string[] {
  const running = `${app.tasksRunning ?? 0}/${app.instances} running`;
  return hasChecks(app) ? [running, `${app.tasksHealthy ?? 0}/${app.instances} healthy`] : [running];
}

export function hasChecks(app: AppInfo): boolean {
  return (app.healthChecks?.length ?? 0) > 0;
}

/** The last failure, if it is this deployment's: timestamps of one form compare as texts. */
function failureOf(app: AppInfo | undefined, { version }: DeploymentInfo): string {
  const failure = app?.lastTaskFailure;
  return failure === undefined || failure.timestamp < version ? '' : `; last failure: ${failure.message}`;
}

export function describeApps(deployment: DeploymentInfo): string {
  const affected = affectedBy(deployment);
  return affected.length <= 3 ? affected.join(', ') : count(affected.length, 'app');
}

/** Apps and pods. */
export function affectedBy({ affectedApps, affectedPods = [] }: DeploymentInfo): readonly string[] {
  return [...affectedApps, ...affectedPods];
}
