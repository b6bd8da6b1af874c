import { appIdField, appIdTable } from '../../core/model/app-id-table.ts';
import type { Directory } from '../../core/model/directory.ts';
import type { Route } from '../../core/model/route.ts';
import type { BackendRow, FrontendRow, Proxies, ServerRow } from './proxies.ts';

/** What the edge does as HAProxy's configuration would say it, for those who read that better. Nothing is made of it. */
export function configText(directory: Directory, { frontends, backends }: Proxies): string {
  const rules = Map.groupBy(
    [...directory.routes.values()].filter(({ backend }) => backend !== undefined),
    ({ table }) => table,
  );
  const places = new Map([...directory.listeners.values()].map(({ port, table, id }) => [port, table ?? id]));
  return [
    ['# what this edge does, in the words of HAProxy; it is not made of this text'],
    ...frontends.map((frontend) =>
      frontendLines(frontend, rules.get(isShared(frontend) ? undefined : places.get(frontend.port)) ?? []),
    ),
    ...backends.map(backendLines),
  ]
    .map((lines) => `${lines.join('\n  ')}\n`)
    .join('\n');
}

function isShared({ name }: FrontendRow): boolean {
  return name === 'marathon_http_in' || name === 'marathon_https_in';
}

function frontendLines(
  { name, mode, address, port }: FrontendRow,
  routes: readonly Route[],
): readonly string[] {
  return [
    `frontend ${name}`,
    `bind ${address}:${port}${name === 'marathon_https_in' ? ' ssl' : ''}`,
    `mode ${mode}`,
    ...routes.map((route) => {
      const tests = testsOf(route).map((test) => `{ ${test} }`);
      return `use_backend ${route.backend}${tests.length === 0 ? '' : ` if ${tests.join(' ')}`}`;
    }),
  ];
}

function testsOf({ table, host, pathPrefix, pathKind, ignoreCase, conditions }: Route): readonly string[] {
  if (table === appIdTable) return [`hdr(${appIdField}) -m str ${host}`];
  const words = { exact: 'path', regex: 'path_reg', prefix: 'path_beg', begins: 'path_beg' };
  const path = `${words[pathKind ?? 'prefix']}${ignoreCase ? ' -i' : ''} ${pathPrefix}`;
  return [
    ...(host === '*'
      ? []
      : [host.startsWith('*') ? `hdr_end(host) -i ${host.slice(1)}` : `hdr(host) -i ${host}`]),
    ...(pathPrefix === '/' && pathKind === undefined ? [] : [path]),
    ...(conditions?.headers ?? []).map(
      ({ name, exact, regex }) =>
        `hdr(${name}) ${regex === undefined ? (exact ?? '-m found') : `-m reg ${regex}`}`,
    ),
  ];
}

function backendLines({ name, mode, balance, servers }: BackendRow): readonly string[] {
  return [
    `backend ${name}`,
    `balance ${algorithms[balance] ?? balance}`,
    `mode ${mode}`,
    ...servers.map(serverLine),
  ];
}

const algorithms: Readonly<Record<string, string>> = {
  'round-robin': 'roundrobin',
  'least-requests': 'leastconn',
  'two-choices': 'random',
  hash: 'source',
};

function serverLine({ name, address, port, id, weight, backup, status }: ServerRow): string {
  const place = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  const more = [
    weight === 1 ? '' : ` weight ${weight}`,
    backup ? ' backup' : '',
    status === 'MAINT' ? ' disabled' : '',
  ];
  return `server ${name} ${place} id ${id}${more.join('')}`;
}
