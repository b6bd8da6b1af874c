import { countsOf } from '../deployment/describe.ts';
import { deploymentOf, waitForDeployment } from '../deployment/wait.ts';
import { print, printJson, type Session } from '../globals.ts';
import type { Accepted } from '../master/answers.ts';

/** Options of every command that changes an app. */
export type ChangeOptions = {
  /** `--no-wait` makes it false. */
  readonly wait: boolean;
  readonly timeout?: number;
  readonly force?: true;
};

export type Change = {
  readonly app: string;
  /** `is deployed`, `is removed`: what is said when it is done. */
  readonly done: string;
  readonly leaves: 'app' | 'nothing';
};

/** What is done with an accepted change: wait for it, or say how to follow it. */
export async function follow(
  { master, json }: Session,
  accepted: Accepted,
  { change, options }: { change: Change; options: ChangeOptions },
): Promise<void> {
  const deployment = deploymentOf(accepted);
  if (!options.wait || deployment === undefined) {
    if (json) return printJson(accepted);
    return print(
      `${change.app}: deployment ${deployment ?? '-'} is on its way (weir deployment show ${deployment ?? ''})`,
    );
  }
  const app = await waitForDeployment(master, {
    deployment,
    app: change.app,
    version: change.leaves === 'app' ? accepted.version : undefined,
    timeoutSeconds: options.timeout,
  });
  if (json) return printJson(accepted);
  print(`${change.app} ${change.done}${app === undefined ? '' : `: ${countsOf(app).join(', ')}`}`);
}
