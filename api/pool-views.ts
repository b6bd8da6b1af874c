import { anywhereMatcher } from '../core/kit/pattern.ts';
import { serversOf } from '../core/model/servers-of.ts';
import { compilePool, ownerOf } from '../core/state/pools/compile.ts';
import type { ApiDependencies } from './dependencies.ts';
import { listenerStates, stateText } from './listener-state.ts';
import type { ShownPool } from './pools.ts';

/** What listens for each frontend; what `bindPort: 0` became is here. */
export function frontendListeners({ record, pool }: Pick<ShownPool, 'record' | 'pool'>) {
  const listeners = pool === undefined ? [] : compilePool(pool, record.ports).listeners;
  return listeners.map((listener, n) => ({
    name: pool?.haproxy.frontends[n]?.name ?? listener.id,
    listener,
  }));
}

/** Where a pool's frontends listen, and on how many edges they really do. */
export function frontendViews(dependencies: ApiDependencies, shown: ShownPool) {
  return frontendListeners(shown).map(({ name, listener }) => {
    const edges = listenerStates(dependencies, listener);
    const { address, port, protocol } = listener;
    return { name, protocol, address, port, state: stateText(edges), edges };
  });
}

/** How many serve behind a server set now. */
export function serverCount({ publisher: { directory } }: ApiDependencies, key: string): number {
  const set = directory.serverSets.get(key);
  return set === undefined ? 0 : serversOf(directory, set, likeOf).length;
}

/** Who serves behind each backend now. */
export function backendViews({ publisher: { directory } }: ApiDependencies, { record, pool }: ShownPool) {
  return (pool?.haproxy.backends ?? []).map(({ name }) => {
    const set = directory.serverSets.get(`${ownerOf(record.name)}:${name}`);
    const servers = set === undefined ? [] : serversOf(directory, set, likeOf);
    return {
      name,
      servers: servers.map(({ name: server, address, port, instanceId, weight, backup }) => ({
        ...{ name: server, address, port, instanceId },
        ...(weight !== undefined && { weight }),
        ...(backup && { backup }),
      })),
    };
  });
}

function likeOf(pattern: string): (text: string) => boolean {
  return anywhereMatcher(pattern) ?? (() => false);
}
