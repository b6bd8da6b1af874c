import { readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { becomes } from '../lab/processes.ts';
import type { Api } from './api.ts';
import type { Host } from './host.ts';
import { processesOfTask } from './machine.ts';
import { repository } from './product.ts';

/** What the tests read of a pod's status. */
export type PodStatus = {
  readonly status: string;
  readonly instances: readonly PodInstance[];
  readonly terminationHistory: readonly { readonly instanceID: string; readonly message: string }[];
};

export type PodInstance = {
  readonly id: string;
  readonly status: string;
  readonly message?: string;
  readonly networks: readonly { readonly addresses: readonly string[] }[];
  readonly containers: readonly {
    readonly name: string;
    readonly status: string;
    readonly containerId: string;
    readonly endpoints: readonly { readonly name: string; readonly allocatedHostPort?: number }[];
    readonly conditions: readonly { readonly value: string }[];
    readonly termination?: { readonly exitCode?: number };
  }[];
};

type Line = { readonly stream: string; readonly text: string };

/** The example of a pod, as a person would post it. */
export function examplePod(): { readonly id: string } & Record<string, unknown> {
  return JSON.parse(readFileSync(join(repository, 'examples/pod.json'), 'utf8'));
}

export function podStatus(api: Api, id: string): Promise<PodStatus> {
  return api.must<PodStatus>('GET', `/v2/pods${id}::status`);
}

/** Waits until the condition holds; throws with the last that was seen. */
export async function podUntil(
  api: Api,
  id: string,
  holds: (pod: PodStatus) => boolean | Promise<boolean>,
): Promise<PodStatus> {
  let last: PodStatus | undefined;
  const reached = await becomes(async () => {
    last = await podStatus(api, id);
    return holds(last);
  }, 30_000);
  if (reached && last !== undefined) return last;
  throw new Error(`${id} does not get there: ${JSON.stringify(last)}`);
}

/** Waits until so many instances are stable and healthy, nothing is under way, and that is in force. */
export async function podServes(api: Api, id: string, count: number): Promise<PodStatus> {
  const pod = await podUntil(api, id, async ({ status, instances }) => {
    const deployments = await api.must<readonly unknown[]>('GET', '/v2/deployments');
    return (
      deployments.length === 0 &&
      status === 'STABLE' &&
      instances.length === count &&
      instances.every((instance) => instance.status === 'STABLE')
    );
  });
  await api.spread();
  return pod;
}

export function idsOf({ instances }: PodStatus): readonly string[] {
  return instances.map(({ id }) => id).toSorted();
}

/** Pids of each container of each instance, by container id. */
export function processesOfPod({ instances }: PodStatus): ReadonlyMap<string, readonly number[]> {
  const ids = instances.flatMap(({ containers }) => containers.map(({ containerId }) => containerId));
  return new Map(ids.toSorted().map((id) => [id, processesOfTask(id)]));
}

/** Which namespace of a kind a container's first process is in. */
export function namespaceOf(containerId: string, kind: 'net' | 'mnt' | 'pid'): string {
  return readlinkSync(`/proc/${processesOfTask(containerId)[0]}/ns/${kind}`);
}

export async function podLog(api: Api, instance: string, container: string): Promise<readonly string[]> {
  const path = `/v1/instances/${instance}/log?stream=stdout&tail=1000&container=${container}`;
  return (await api.must<{ lines: readonly Line[] }>('GET', path)).lines.map(({ text }) => text);
}

/** What the resolver answers, sorted. */
export async function dig(host: Host, name: string, type = 'A'): Promise<readonly string[]> {
  const { stdout } = await host.exec(['dig', '@127.0.0.1', '-p', '10053', '+short', name, type]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
}
