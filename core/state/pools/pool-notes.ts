import type { Pool } from '../../model/edgelb/pool.ts';
import type { PoolNote } from './backend-options.ts';

const everywhere = 'does nothing: every edge serves every pool';

/** Of the pool's own fields those that are about tasks, which there are none of here (docs/how-to/edge-lb-pools.md). */
export function poolNotes(pool: Pool): readonly PoolNote[] {
  const { count, constraints, ports, virtualNetworks, role, environmentVariables } = pool;
  const plain = Object.keys(environmentVariables).filter((name) => !name.startsWith('ELB_FILE_'));
  return [
    ...(count === 1 || count === null ? [] : [{ path: '/count', error: everywhere }]),
    ...(constraints === 'hostname:UNIQUE' || constraints === ''
      ? []
      : [{ path: '/constraints', error: everywhere }]),
    ...(role === 'slave_public' ? [] : [{ path: '/role', error: everywhere }]),
    ...(ports.length === 0 ? [] : [{ path: '/ports', error: 'does nothing: frontends open what they bind' }]),
    ...virtualNetworks.map((_, n) => ({
      path: `/virtualNetworks/${n}`,
      error: 'does nothing: edges reach the containers of every network',
    })),
    ...plain.map((name) => ({
      path: `/environmentVariables/${name}`,
      error: 'does nothing: there is no proxy that would read it',
    })),
  ];
}
