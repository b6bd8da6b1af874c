import type { App } from '../../core/model/app.ts';
import type { Resources } from '../../core/model/resources.ts';
import type { AgentView } from '../agent-view.ts';

export type ResourceReason =
  | 'InsufficientCpus'
  | 'InsufficientMemory'
  | 'InsufficientDisk'
  | 'InsufficientGpus';

export const kinds = [
  { resource: 'cpus', reason: 'InsufficientCpus', unit: 'cpus' },
  { resource: 'mem', reason: 'InsufficientMemory', unit: 'MiB of memory' },
  { resource: 'disk', reason: 'InsufficientDisk', unit: 'MiB of disk' },
  { resource: 'gpus', reason: 'InsufficientGpus', unit: 'gpus' },
] as const;

/** Sums of fractions such as 0.1 drift; a millionth is nothing an app can use. */
const tolerance = 1e-6;

export function fits({ cpus, mem, disk, gpus }: Resources, free: Resources): boolean {
  return (
    cpus <= free.cpus + tolerance &&
    mem <= free.mem + tolerance &&
    disk <= free.disk + tolerance &&
    gpus <= free.gpus + tolerance
  );
}

/** The first resource an agent is short of, or undefined when the app fits. */
export function shortage(app: App, view: AgentView): { reason: ResourceReason; detail: string } | undefined {
  const short = kinds.find(({ resource }) => app[resource] > view.free[resource] + tolerance);
  if (short === undefined) return undefined;
  return {
    reason: short.reason,
    detail: `needs ${app[short.resource]} ${short.unit}, ${view.agent.hostname} has ${rounded(view.free[short.resource])} free`,
  };
}

/** What people should read of a free amount. */
export function rounded(free: number): number {
  return Math.max(0, Math.round(free * 1000) / 1000);
}
