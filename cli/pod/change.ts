import type { ChangeOptions } from '../app/change.ts';
import { NotDeployed, waitForDeployment } from '../deployment/wait.ts';
import { print, printJson, type Session } from '../globals.ts';
import type { Ask } from '../master/master.ts';
import { stableOf } from './list.ts';
import { readPod } from './read.ts';

export type PodChange = Pick<Ask, 'body'> & {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly pod: string;
  /** `is deployed`, `is removed`: what is said when it is done. */
  readonly done: string;
};

/** Sends a change of a pod and waits until it is in force, unless that is not wanted. */
export async function changePod(
  { master, json }: Session,
  { method, path, pod, done, body }: PodChange,
  options: ChangeOptions,
): Promise<void> {
  const ask = { query: { force: options.force }, ...(body === undefined ? {} : { body }) };
  const { answer, deployment } = await master.submit<unknown>(method, path, ask);
  if (!options.wait || deployment === undefined) {
    if (json) return printJson(answer ?? { deploymentId: deployment });
    const id = deployment ?? '-';
    return print(`${pod}: deployment ${id} is on its way (weir deployment show ${deployment ?? ''})`);
  }
  await waitForDeployment(master, { deployment, app: pod, timeoutSeconds: options.timeout });
  const left = await readPod(master, pod);
  if (method !== 'DELETE' && left?.status !== 'STABLE')
    throw new NotDeployed(
      'WEIR_NOT_DEPLOYED',
      `Deployment ${deployment} of ${pod} did not succeed: ${left === undefined ? 'the pod is gone' : `it is ${left.status.toLowerCase()}`}`,
      { next: `See "weir why ${pod}".` },
    );
  if (json) return printJson(answer ?? { deploymentId: deployment });
  print(`${pod} ${done}${left === undefined ? '' : `: ${stableOf(left)} stable`}`);
}
