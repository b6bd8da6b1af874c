import { setTimeout as pause } from 'node:timers/promises';
import { WeirError } from '../../core/kit/errors.ts';
import { readQueue } from '../app/waiting.ts';
import type { Accepted, AppInfo, DeploymentInfo } from '../master/answers.ts';
import { Refused } from '../master/errors.ts';
import type { Master } from '../master/master.ts';
import { type Progress, startProgress } from '../show/progress.ts';
import { hasChecks, progressText } from './describe.ts';

export type WaitFor = {
  readonly deployment: string;
  readonly app: string;
  /** Version the app has when it succeeds; undefined: the app is gone then, or is not looked at. */
  readonly version?: string | undefined;
  /** Undefined: as long as it takes. */
  readonly timeoutSeconds?: number | undefined;
};

/** The deployment ended another way, or not in time. */
export class NotDeployed extends WeirError {}

const everyMs = 200;

/** Resolves when the change is in force, with what the app is then. Throws NotDeployed. */
export async function waitForDeployment(master: Master, wait: WaitFor): Promise<AppInfo | undefined> {
  const progress = startProgress();
  try {
    const last = await untilGone(master, wait, progress);
    return await checkOutcome(master, wait, last);
  } finally {
    progress.end();
  }
}

/** Gives the last text about it, for the error. */
async function untilGone(master: Master, wait: WaitFor, progress: Progress): Promise<string> {
  const startedAt = performance.now();
  let text = '';
  for (;;) {
    const deployment = (await readDeployments(master)).find(({ id }) => id === wait.deployment);
    if (deployment === undefined) return text;
    const [app, queue] = await Promise.all([readApp(master, wait.app), readQueue(master)]);
    text = progressText(wait.app, { deployment, app, waiting: queue.get(wait.app) });
    progress.say(text);
    if (performance.now() - startedAt > (wait.timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1000)
      throw new NotDeployed(
        'WEIR_WAIT_TIMEOUT',
        `Deployment ${wait.deployment} is not done after ${wait.timeoutSeconds} s: ${text}`,
        {
          next: `It goes on. See "weir why ${wait.app}", or undo it with "weir deployment cancel ${wait.deployment}".`,
        },
      );
    await pause(everyMs);
  }
}

/** A deployment vanishes when it succeeds, and also when it is cancelled or replaced. */
async function checkOutcome(master: Master, wait: WaitFor, last: string): Promise<AppInfo | undefined> {
  if (wait.version === undefined) return undefined;
  const app = await readApp(master, wait.app);
  if (app === undefined)
    throw ended(wait, 'the app is gone: the deployment was cancelled, or the app removed');
  if (app.version !== wait.version)
    throw ended(wait, 'another change took its place (see "weir app versions")');
  const ready = hasChecks(app) ? (app.tasksHealthy ?? 0) : (app.tasksRunning ?? 0);
  if (ready < app.instances && last !== '') throw ended(wait, `${reasonOf(app)}; at last ${last}`);
  return app;
}

function reasonOf({ lastTaskFailure, version }: AppInfo): string {
  if (lastTaskFailure === undefined || lastTaskFailure.timestamp < version) return 'it was cancelled';
  return `instances end: ${lastTaskFailure.message}`;
}

function ended({ deployment, app }: WaitFor, how: string): NotDeployed {
  return new NotDeployed('WEIR_NOT_DEPLOYED', `Deployment ${deployment} of ${app} did not succeed: ${how}`, {
    next: `See "weir app show ${app}".`,
  });
}

export function readDeployments(master: Master): Promise<readonly DeploymentInfo[]> {
  return master.get<readonly DeploymentInfo[]>('/v2/deployments');
}

/** Undefined when there is no such app. */
export async function readApp(master: Master, id: string): Promise<AppInfo | undefined> {
  try {
    return (await master.get<{ app: AppInfo }>(`/v2/apps${id}`)).app;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined;
    throw error;
  }
}

/** The deployment that an answer names; an app just created names it in a list. */
export function deploymentOf({ deploymentId, deployments }: Accepted): string | undefined {
  return deploymentId ?? deployments?.[0]?.id;
}
