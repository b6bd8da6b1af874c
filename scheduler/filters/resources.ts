import type { App } from '../../core/model/app.ts';
import type { Resources } from '../../core/model/resources.ts';
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

export function fits({ cpus, mem, disk, gpus }: Resources, free: Resources): boolean {
  return (
    cpus <= free.cpus + tolerance &&
    mem <= free.mem + tolerance &&
    disk <= free.disk + tolerance &&
    gpus <= free.gpus + tolerance
  );
}

export type Shortage = (typeof kinds)[number] & { readonly short: number };

/** Everything an agent has less of than an app needs. */
export function shortages(app: App, view: AgentView): readonly Shortage[] {
  return kinds.flatMap((kind) => {
    const short = app[kind.resource] - view.free[kind.resource];
    return short > tolerance ? [{ ...kind, short }] : [];
  });
}

/** The first resource an agent is short of, or undefined when the app fits. */
export function shortage(app: App, view: AgentView): { reason: ResourceReason; detail: string } | undefined {
  const [short] = shortages(app, view);
  if (short === undefined) return undefined;
  const { resource, reason, unit } = short;
  return {
    reason,
    detail: `needs ${app[resource]} ${unit}, ${view.agent.hostname} has ${rounded(view.free[resource])} free`,
  };
}

/** What people should read of an amount. */
export function rounded(amount: number): number {
  return Math.max(0, Math.round(amount * 1000) / 1000);
}
