import type { PoolAnswer, PoolFrontendInfo, PoolMetadata, PoolsAnswer } from '../master/answers.ts';
import { table } from '../show/table.ts';

type PoolInfo = PoolsAnswer['pools'][number];

export function poolTable(pools: readonly PoolInfo[]): string {
  return table<{ readonly pool: PoolInfo; readonly frontend: PoolFrontendInfo | undefined }>(
    [
      { head: 'POOL', of: ({ pool }) => pool.name },
      { head: 'FRONTEND', of: ({ frontend }) => frontend?.name ?? '-' },
      { head: 'PROTOCOL', of: ({ frontend }) => frontend?.protocol ?? '-' },
      { head: 'PORT', right: true, of: ({ frontend }) => String(frontend?.port ?? '-') },
      { head: 'STATE', of: ({ frontend }) => frontend?.state ?? '-' },
    ],
    pools
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((pool) => {
        const frontends = pool.frontends.length === 0 ? [undefined] : pool.frontends;
        return frontends.map((frontend) => ({ pool, frontend }));
      }),
  );
}

export function statusText({ frontends, backends }: Pick<PoolAnswer, 'frontends' | 'backends'>): string {
  const places = frontends.map(
    ({ name, protocol, address, port, state }) =>
      `frontend ${name}: ${protocol} ${address}:${port}, ${state}`,
  );
  const servers = backends.flatMap(({ name, servers: all }) => [
    `backend ${name}: ${all.length === 0 ? 'no servers' : ''}`.trim(),
    ...all.map(({ name: server, instanceId }) => `  ${server}  ${instanceId}`),
  ]);
  return [...places, ...servers].join('\n');
}

/** A line for each open port; one that is open nowhere has no addresses. */
export function endpointTable({ frontends }: PoolMetadata): string {
  const rows = frontends.flatMap(({ name, endpoints }) =>
    endpoints.map((endpoint) => ({ name, ...endpoint })),
  );
  return table<(typeof rows)[number]>(
    [
      { head: 'FRONTEND', of: ({ name }) => name },
      { head: 'PORT', right: true, of: ({ port }) => String(port) },
      { head: 'PRIVATE', of: (row) => row.private.join(' ') || '-' },
      { head: 'PUBLIC', of: (row) => row.public.join(' ') || '-' },
    ],
    rows,
  );
}
