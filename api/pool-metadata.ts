import { statsName } from '../core/state/pools/stats-place.ts';
import type { ApiDependencies } from './dependencies.ts';
import { listenerStates } from './listener-state.ts';
import { frontendListeners } from './pool-views.ts';
import type { ShownPool } from './pools.ts';

type Place = {
  readonly port: number;
  readonly private: readonly string[];
  readonly public: readonly string[];
};

/** Where a pool is reached (ingress.md A12): the ports its listeners really got, on the edges that have them open. */
export function poolMetadata(dependencies: ApiDependencies, shown: ShownPool) {
  const { record, pool } = shown;
  const edges = [...dependencies.database.snapshot.table('agents').values()].filter((agent) => agent.edge);
  const addressOf = new Map(edges.map(({ hostname, address }) => [hostname, address]));
  const publicOf = new Map(edges.map(({ hostname, attributes }) => [hostname, attributes['public_ip']]));
  const frontends = frontendListeners(shown).map(({ name, listener }) => {
    const open = listenerStates(dependencies, listener).filter(({ state }) => state === 'open');
    const ports = Map.groupBy(open, ({ at }) => Number(at?.split(':').at(-1)));
    const endpoints = [...ports].map(
      ([port, there]): Place => ({
        port,
        private: there.flatMap(({ edge }) => addressOf.get(edge) ?? []),
        public: there.flatMap(({ edge }) => publicOf.get(edge) ?? []),
      }),
    );
    const wanted = { port: listener.port, private: [], public: [] };
    return { name, endpoints: endpoints.length === 0 ? [wanted] : endpoints };
  });
  const { bindPort: asked = 9090 } = pool?.haproxy.stats ?? {};
  const bindPort = asked === 0 ? (record.ports[statsName] ?? 0) : asked;
  const stats = edges.map(({ address }) => ({ port: bindPort, private: [address], public: [] }));
  return { name: record.name, aws: { elbs: [] }, frontends, stats: [{ name: 'stats', endpoints: stats }] };
}
