import type { Frontend, PoolBackend } from '../core/model/edgelb/pool.ts';
import type { ApiDependencies } from './dependencies.ts';
import { backendViews, frontendListeners } from './pool-views.ts';
import type { ShownPool } from './pools.ts';

/**
 * A pool as HAProxy's configuration would say it, for those who read that better: with the ports that frontends got and the servers of
 * this moment. Nothing is made of it.
 */
export function poolConfigText(dependencies: ApiDependencies, shown: ShownPool): string {
  const { record, pool } = shown;
  if (pool === undefined) return `# pool ${record.name} cannot be read\n`;
  const ports = new Map(frontendListeners(shown).map(({ name, listener }) => [name, listener.port]));
  const servers = new Map(
    backendViews(dependencies, shown).map((backend) => [backend.name, backend.servers]),
  );
  const { frontends, backends } = pool.haproxy;
  return [
    [`# pool ${record.name}: what the edges do, in the words of HAProxy`],
    ...frontends.map((frontend) => frontendLines(frontend, ports.get(frontend.name) ?? 0)),
    ...backends.map((backend) => backendLines(backend, servers.get(backend.name) ?? [])),
  ]
    .map((lines) => lines.join('\n  '))
    .join('\n\n')
    .concat('\n');
}

function frontendLines(frontend: Frontend, port: number): readonly string[] {
  const { name, bindAddress, bindModifier, protocol, certificates, linkBackend, miscStrs } = frontend;
  const secure = protocol === 'HTTPS' ? certificates.map((file) => ` crt ${file}`).join('') : '';
  const tls = protocol === 'HTTPS' ? ` ssl${secure}` : '';
  return [
    `frontend ${name}`,
    `bind ${bindAddress}:${port}${tls}${bindModifier === '' ? '' : ` ${bindModifier}`}`,
    `mode ${modeOf(protocol)}`,
    ...miscStrs,
    ...(frontend.redirectToHttps === undefined ? [] : ['redirect scheme https code 307']),
    ...linkBackend.map.map(({ backend, ...conditions }) => {
      const words = Object.entries(conditions).map(([key, value]) => `{ ${wordOf(key, protocol)} ${value} }`);
      return `use_backend ${backend}${words.length === 0 ? '' : ` if ${words.join(' ')}`}`;
    }),
    ...(linkBackend.defaultBackend === '' ? [] : [`default_backend ${linkBackend.defaultBackend}`]),
  ];
}

function wordOf(key: string, protocol: Frontend['protocol']): string {
  const host = protocol === 'TLS' ? 'req_ssl_sni' : 'hdr(host)';
  const words: Readonly<Record<string, string>> = {
    hostEq: `${host} -i`,
    hostReg: `${host} -m reg -i`,
    pathBeg: 'path_beg',
    pathEnd: 'path_end',
    pathReg: 'path_reg',
  };
  return words[key] ?? key;
}

function backendLines(
  { name, protocol, balance, miscStrs }: PoolBackend,
  servers: ReturnType<typeof backendViews>[number]['servers'],
): readonly string[] {
  return [
    `backend ${name}`,
    `mode ${modeOf(protocol)}`,
    `balance ${balance}`,
    ...miscStrs,
    ...servers.map(({ name: server, address, port, weight, backup }) => {
      const words = [weight === undefined ? '' : ` weight ${weight}`, backup ? ' backup' : ''].join('');
      const tls = protocol === 'HTTPS' ? ' ssl verify none' : '';
      return `server ${server} ${address.includes(':') ? `[${address}]` : address}:${port}${tls}${words}`;
    }),
  ];
}

function modeOf(protocol: Frontend['protocol']): string {
  return protocol === 'HTTP' || protocol === 'HTTPS' ? 'http' : 'tcp';
}
