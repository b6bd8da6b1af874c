import type { Pool } from '../core/model/edgelb/pool.ts';
import { type ReadPool, readPool } from '../core/model/edgelb/read-pool.ts';
import { statsName } from '../core/state/pools/stats-place.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { PoolRecord } from '../core/state/tables.ts';

/** What `bindPort: 0` becomes. */
const dynamicPorts = { begin: 20_000, end: 21_000 };

type StoredPool = { readonly record: PoolRecord; readonly read: ReadPool };

function storedPools(snapshot: Snapshot): readonly StoredPool[] {
  return [...snapshot.table('pools').values()]
    .filter(({ kind }) => kind === 'pool')
    .map((record) => ({ record, read: readPool(record.definition) }));
}

export type PortChoice =
  | { readonly kind: 'ports'; readonly ports: PoolRecord['ports'] }
  | { readonly kind: 'taken'; readonly message: string };

/** Which ports a pool's frontends and its statistics with `bindPort: 0` get: those they had, else the lowest that is free. */
export function choosePorts(snapshot: Snapshot, { name, haproxy: { frontends, stats } }: Pool): PortChoice {
  const before = snapshot.table('pools').get(name)?.ports ?? {};
  const others = storedPools(snapshot).filter(({ record }) => record.name !== name);
  const used = new Set([...others.flatMap(boundPorts), ...frontends.map(({ bindPort }) => bindPort)]);
  for (const { port } of snapshot.table('listeners').values()) used.add(port);
  const ports: Record<string, number> = {};
  const wanted = [...frontends, { name: statsName, bindPort: stats.bindPort }];
  for (const frontend of wanted.filter(({ bindPort }) => bindPort === 0)) {
    const had = before[frontend.name];
    const port = had !== undefined && !used.has(had) ? had : freePort(used);
    if (port === undefined)
      return {
        kind: 'taken',
        message: `Cannot give frontend '${frontend.name}' a port: all of ${dynamicPorts.begin} to ${dynamicPorts.end - 1} are taken`,
      };
    used.add(port);
    ports[frontend.name] = port;
  }
  return { kind: 'ports', ports };
}

function freePort(used: ReadonlySet<number>): number | undefined {
  for (let port = dynamicPorts.begin; port < dynamicPorts.end; port++) if (!used.has(port)) return port;
  return undefined;
}

function boundPorts({ record: { ports }, read }: StoredPool): readonly number[] {
  if (read.kind === 'faults') return Object.values(ports);
  const { frontends, stats } = read.pool.haproxy;
  const all = [...frontends, { name: statsName, bindPort: stats.bindPort }];
  return all.map(({ name, bindPort }) => (bindPort === 0 ? (ports[name] ?? 0) : bindPort));
}
