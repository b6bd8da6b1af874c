import fc from 'fast-check';
import type { App } from '../../core/model/app.ts';
import type { AppId } from '../../core/model/ids.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { Write } from '../../core/state/store.ts';
import { testAgent } from '../../core/state/testing/agents.ts';
import { tcpCheck, testApp } from '../../core/state/testing/apps.ts';
import { Cluster } from './cluster.ts';

export const appIds: readonly AppId[] = ['/a', '/b', '/c'];
export const hosts = ['h1', 'h2', 'h3'];

export type Act = (cluster: Cluster) => void;

const fraction = fc.constantFrom(0, 0.25, 0.5, 1);
const definition: fc.Arbitrary<Partial<App>> = fc.record(
  {
    instances: fc.integer({ min: 0, max: 5 }),
    cmd: fc.constantFrom('one', 'two'),
    cpus: fc.constantFrom(0.1, 0.5, 1),
    upgradeStrategy: fc.record({ minimumHealthCapacity: fraction, maximumOverCapacity: fraction }),
    killSelection: fc.constantFrom('YOUNGEST_FIRST' as const, 'OLDEST_FIRST' as const),
    healthChecks: fc.constantFrom([], [tcpCheck]),
    dependencies: fc.constantFrom([], ['/a']),
    constraints: fc.constantFrom(
      [],
      [{ field: 'hostname', operator: 'MAX_PER' as const, value: '2' }],
      [{ field: 'rack', operator: 'GROUP_BY' as const, value: '2' }],
    ),
    portDefinitions: fc.constantFrom([], [{ port: 0, protocol: 'tcp' as const, labels: { VIP_0: 'x:80' } }]),
    unreachableStrategy: fc.constantFrom(
      'disabled' as const,
      { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
      { inactiveAfterSeconds: 5, expungeAfterSeconds: 20 },
    ),
    labels: fc.constantFrom({}, { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'a.example.org' }),
  },
  { requiredKeys: [] },
);

const app = fc.constantFrom(...appIds);
const host = fc.constantFrom(...hosts);
const nth = fc.nat({ max: 20 });

const change = fc.tuple(app, definition, fc.boolean()).map(
  ([id, fields, force]): Act =>
    (cluster) =>
      put(cluster, id, fields, force),
);
const remove = fc.tuple(app, fc.boolean()).map(
  ([id, force]): Act =>
    (cluster) => {
      const root = cluster.replica.table('apps');
      cluster.update(() => ({ after: new Map([...root].filter(([other]) => other !== id)) }), force);
    },
);
const restart = fc.tuple(app, fc.boolean()).map(
  ([id, force]): Act =>
    (cluster) => {
      const root = cluster.replica.table('apps');
      if (root.has(id)) cluster.update(() => ({ after: root, restarted: [id] }), force);
    },
);
const report = fc
  .tuple(nth, fc.constantFrom('staging', 'running', 'healthy', 'unhealthy', 'failed', 'killed'))
  .map(
    ([n, what]): Act =>
      (cluster) =>
        reportNth(cluster, n, what),
  );
const kill = nth.map(
  (n): Act =>
    (cluster) =>
      cluster.kill(nthPlacement(cluster, n)?.instanceId ?? ''),
);
const agents = fc.oneof(
  host.map(
    (name): Act =>
      (cluster) =>
        cluster.lose(name),
  ),
  host.map(
    (name): Act =>
      (cluster) =>
        cluster.connect(name),
  ),
  host.map(
    (name): Act =>
      (cluster) =>
        cluster.acknowledge(name),
  ),
  fc.tuple(host, nth, fc.nat({ max: 1 })).map(
    ([name, n, count]): Act =>
      (cluster) => {
        const placement = nthPlacement(cluster, n);
        if (placement !== undefined) cluster.carry(name, placement.instanceId, count);
      },
  ),
  host.map(
    (name): Act =>
      (cluster) =>
        cluster.empty(name),
  ),
  host.map(
    (name): Act =>
      (cluster) =>
        cluster.refill(name),
  ),
  fc.constant<Act>((cluster) => cluster.changeLeader()),
  fc.tuple(host, fc.integer({ min: 1, max: 3 })).map(
    ([name, n]): Act =>
      (cluster) => {
        const agent = cluster.replica.table('agents').get(name);
        if (agent !== undefined) cluster.join({ ...agent, address: `100.64.${n}.1` });
      },
  ),
  fc.tuple(app, fc.boolean()).map(
    ([appId, there]): Act =>
      (cluster) => {
        const value = { id: 'r', host: 'r.example.org', pathPrefix: '/', service: { appId, portIndex: 0 } };
        const record = { table: 'routes', key: 'r' } as const;
        cluster.commit([there ? { kind: 'put', ...record, value } : { kind: 'delete', ...record }]);
      },
  ),
);
const time = fc.constantFrom(1, 900, 3_000, 61_000).map(
  (ms): Act =>
    (cluster) =>
      cluster.advance(ms),
);
const together = fc.constant<Act>((cluster) => cluster.cooperate());

/** What may happen to a cluster, in any order. */
export const history = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: change },
    { weight: 1, arbitrary: remove },
    { weight: 1, arbitrary: restart },
    { weight: 6, arbitrary: report },
    { weight: 1, arbitrary: kill },
    { weight: 3, arbitrary: agents },
    { weight: 2, arbitrary: time },
    { weight: 4, arbitrary: together },
  ),
  { maxLength: 60, size: 'max' },
);

export function newCluster(onCommit?: (writes: readonly Write[]) => void, cpus = 3): Cluster {
  const cluster = new Cluster(onCommit);
  for (const [index, name] of hosts.entries()) {
    const ports = [{ begin: 31_000, end: 31_019 }];
    cluster.join(
      testAgent(name, {
        ports,
        resources: { cpus, mem: 4096, disk: 0, gpus: 0 },
        consumers: ['dns', 'edge'],
        attributes: { rack: index < 2 ? 'a' : 'b' },
      }),
    );
  }
  return cluster;
}

function put(cluster: Cluster, id: AppId, fields: Partial<App>, force: boolean): void {
  const root = cluster.replica.table('apps');
  const next = { ...(root.get(id) ?? testApp(id)), ...fields };
  // Nothing depends on itself: the door refuses it.
  const dependencies = next.dependencies.filter((other) => other !== id);
  cluster.update(() => ({ after: new Map([...root, [id, { ...next, dependencies }]]) }), force);
}

function nthPlacement(cluster: Cluster, n: number): Placement | undefined {
  const all = [...cluster.replica.table('placements').values()];
  return all[n % Math.max(1, all.length)];
}

function reportNth(cluster: Cluster, n: number, what: string): void {
  const placement = nthPlacement(cluster, n);
  if (placement === undefined || !cluster.presence.get(placement.agentId)?.connected) return;
  const { appId, appVersion } = placement;
  const { now } = cluster;
  if (cluster.replica.table('instances').get(placement.instanceId)?.state.kind === 'ended') return;
  if (what === 'staging') cluster.report(placement, { kind: 'staging', step: 'fetching', since: now });
  else if (what === 'failed' || what === 'killed')
    cluster.report(placement, { kind: 'ended', at: now, how: what, reason: what });
  else
    cluster.report(
      placement,
      cluster.running(appId, appVersion, what === 'running' ? undefined : what === 'healthy'),
    );
}

/** Rounds until there is nothing left to write. */
export function settle(cluster: Cluster): void {
  for (let round = 0; round < 60; round++) if (cluster.round().writes.length === 0) return;
  throw new Error('the scheduler does not come to rest');
}
