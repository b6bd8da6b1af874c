import type { App } from '../../core/model/app.ts';
import type { AgentView } from '../agent-view.ts';

export type ResourceReason =
  | 'InsufficientCpus'
  | 'InsufficientMemory'
  | 'InsufficientDisk'
  | 'InsufficientGpus';

const kinds = [
  { resource: 'cpus', reason: 'InsufficientCpus', unit: 'cpus' },
  { resource: 'mem', reason: 'InsufficientMemory', unit: 'MiB of memory' },
  { resource: 'disk', reason: 'InsufficientDisk', unit: 'MiB of disk' },
  { resource: 'gpus', reason: 'InsufficientGpus', unit: 'gpus' },
] as const;

/** Sums of fractions such as 0.1 drift; a millionth is nothing an app can use. */
const tolerance = 1e-6;

/** The first resource an agent is short of, or undefined when the app fits. */
export function shortage(app: App, view: AgentView): { reason: ResourceReason; detail: string } | undefined {
  const short = kinds.find(({ resource }) => app[resource] > view.free[resource] + tolerance);
  if (short === undefined) return undefined;
  const free = Math.max(0, Math.round(view.free[short.resource] * 1000) / 1000);
  return {
    reason: short.reason,
    detail: `needs ${app[short.resource]} ${short.unit}, ${view.agent.hostname} has ${free} free`,
  };
}
