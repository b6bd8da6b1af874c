import type { Frontend } from '../../model/edgelb/pool.ts';
import type { Route } from '../../model/route.ts';
import type { PoolNote } from './backend-options.ts';
import type { FrontendSources } from './frontend-routes.ts';

/** Where the connections of a frontend of TCP go: to the first entry of its map, whatever it asks for (ingress.md A5). */
export function tcpRoutes(sources: FrontendSources): readonly Route[] {
  const { map, defaultBackend } = sources.frontend.linkBackend;
  return routeTo(sources, '*', map[0]?.backend ?? defaultBackend);
}

/** By the server name that a client asks for; TLS is not ended. */
export function sniRoutes(sources: FrontendSources): readonly Route[] {
  const { map, defaultBackend } = sources.frontend.linkBackend;
  const named = map.filter(({ hostEq }) => /^[a-z0-9_.-]+$/.test(hostEq ?? ''));
  const first = new Map(named.toReversed().map(({ hostEq, backend }) => [hostEq ?? '', backend]));
  return [
    ...[...first].flatMap(([host, backend]) => routeTo(sources, host.replace(/\.$/, ''), backend)),
    ...routeTo(sources, '*', defaultBackend),
  ];
}

/** Nothing but a server name is seen of TLS that is passed on. */
export function sniNotes({ protocol, linkBackend: { map } }: Frontend, path: string): readonly PoolNote[] {
  if (protocol !== 'TLS' && protocol !== 'TCP') return [];
  const unseen = protocol === 'TLS' ? notServerNames : everything;
  return map.flatMap((rule, n) =>
    unseen
      .filter((key) => (rule[key] ?? '') !== '')
      .map((key) => ({
        path: `${path}/linkBackend/map/${n}/${key}`,
        error: `is ignored: a frontend of ${protocol} does not see it`,
      })),
  );
}

const notServerNames = ['hostReg', 'pathBeg', 'pathEnd', 'pathReg'] as const;
const everything = ['hostEq', ...notServerNames] as const;

function routeTo(
  { owner, table, frontend, backends }: FrontendSources,
  host: string,
  backend: string,
): readonly Route[] {
  const target = backends.get(backend);
  if (target === undefined) return [];
  const service = { appId: target.setKey, portIndex: 0 };
  const id = `${owner}:${frontend.name}:${host}`;
  // What comes as TLS is passed on as it is; what does not is put into TLS for servers that are said to want that.
  const isWrapped = frontend.protocol === 'TCP' && target.protocol === 'HTTPS';
  const options = isWrapped ? { ...target.options, tls: { insecure: true as const } } : target.options;
  return [{ id, host, table, pathPrefix: '/', service, owner, backend: target.name, options }];
}
