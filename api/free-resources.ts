import type { Agent } from '../core/model/agent.ts';
import type { PortRange, Resources } from '../core/model/resources.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { versionKey } from '../core/state/tables.ts';

export type Free = { readonly resources: Resources; readonly ports: readonly PortRange[] };

/** What an agent has left beside the instances placed on it. */
export function freeResources(snapshot: Snapshot, agent: Agent): Free {
  const free = { ...agent.resources };
  const taken = new Set<number>();
  for (const { appId, appVersion, hostPorts } of snapshot.placementsOn(agent.id)) {
    const app = snapshot.table('versions').get(versionKey(appId, appVersion));
    for (const name of ['cpus', 'mem', 'disk', 'gpus'] as const) free[name] -= app?.[name] ?? 0;
    for (const port of hostPorts) if (port !== null) taken.add(port);
  }
  return { resources: rounded(free), ports: agent.ports.flatMap((range) => without(range, taken)) };
}

/** Sums of decimal fractions are off by a hair, and Mesos has three decimals. */
function rounded({ cpus, mem, disk, gpus }: Resources): Resources {
  const round = (value: number) => Math.round(value * 1_000) / 1_000;
  return { cpus: round(cpus), mem: round(mem), disk: round(disk), gpus: round(gpus) };
}

function without({ begin, end }: PortRange, taken: ReadonlySet<number>): readonly PortRange[] {
  const used = [...taken].filter((port) => port >= begin && port <= end).sort((a, b) => a - b);
  const starts = [begin, ...used.map((port) => port + 1)];
  const ends = [...used.map((port) => port - 1), end];
  return starts
    .map((start, index) => ({ begin: start, end: ends[index] ?? end }))
    .filter((range) => range.begin <= range.end);
}
