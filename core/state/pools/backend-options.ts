import type { PoolBackend, PoolProtocol, RewriteHttp } from '../../model/edgelb/pool.ts';
import type { RouteOptions } from '../../model/route.ts';
import { merged, readLines, readServerWords } from '../haproxy-lines.ts';
import { balanceNames, balanceOption } from '../label-balance.ts';
import { serverWords } from '../server-words.ts';

/** Something of a pool that does not do what its author may expect; `path` is its place in the pool's JSON. */
export type PoolNote = { readonly path: string; readonly error: string };

export type BackendOptions = { readonly options: RouteOptions; readonly notes: readonly PoolNote[] };

/** The cookie of Edge-LB's clients (A6). */
export const stickyCookie = 'DCOS_SERVER_ID_FOR_THE_STICKY';

/** Of HAProxy's defaults those that a route can say (A8). */
const defaults: RouteOptions = {
  timeouts: { connectMs: 3_000, firstByteMs: 30_000, idleMs: 30_000 },
  retries: { attempts: 3 },
};

/** What a backend does with requests, as options of the routes that lead to it. */
export function backendOptions(backend: PoolBackend, path: string): BackendOptions {
  const balance = balanceOption(backend.balance);
  const lines = readLines(backend.miscStrs.join('\n'), {});
  const check = checkOf(backend, path);
  const rewrite = backend.rewriteHttp === undefined ? {} : rewriteOptions(backend.rewriteHttp);
  return {
    options: [
      balance ?? {},
      lines.options,
      check.options,
      rewrite,
      serverOptions(backend),
    ].reduce<RouteOptions>(merged, defaults),
    notes: [
      ...(balance === undefined
        ? [{ path: `${path}/balance`, error: `is taken as roundrobin: understood are ${balanceNames}` }]
        : []),
      ...lines.rest.map((line) => ({ path: `${path}/miscStrs`, error: ignoredLine(line) })),
      ...check.notes,
      ...rewriteNotes(backend.rewriteHttp, path),
    ],
  };
}

export function isSecure({ protocol }: { readonly protocol: PoolProtocol }): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS';
}

export function ignoredLine(line: string): string {
  return `"${line}" is text for HAProxy that the edge cannot carry out: ignored`;
}

/** What the words of servers say, which is the same for all of a backend: the first that says something is followed. */
function serverOptions({ services }: PoolBackend): RouteOptions {
  const said = services.map(({ endpoint }) => serverWords(endpoint.miscStr).options);
  const { sendProxy, tls, protocol, check } = said.toReversed().reduce<RouteOptions>(merged, {});
  return {
    ...(sendProxy && { sendProxy }),
    ...(tls && { tls }),
    ...(protocol && { protocol }),
    ...(check && { check }),
  };
}

/** Every server is asked by a connection unless that is switched off (A2.5). */
function checkOf({ services, customCheck, protocol }: PoolBackend, path: string): BackendOptions {
  const checked = services.map(({ endpoint }) => endpoint.check).filter(({ enabled }) => enabled);
  const [first] = checked;
  if (first === undefined) return { options: {}, notes: [] };
  const words = readServerWords(`check inter 2s ${first.customStr}`, {});
  const line = customCheck?.httpchk ? `option httpchk ${customCheck.httpchkMiscStr}`.trim() : '';
  const lines = readLines([line, customCheck?.miscStr ?? ''].join('\n'), {});
  return {
    options: merged(words.options, lines.options),
    notes: [
      ...words.rest.map((word) => ({
        path: `${path}/services/0/endpoint/check/customStr`,
        error: ignoredLine(word),
      })),
      ...lines.rest.map((rest) => ({ path: `${path}/customCheck`, error: ignoredLine(rest) })),
      ...(customCheck?.sslHelloChk && !isSecure({ protocol })
        ? [
            {
              path: `${path}/customCheck/sslHelloChk`,
              error: 'servers are asked by a connection, without a TLS hello',
            },
          ]
        : []),
      ...(checked.some(({ customStr }) => customStr !== first.customStr)
        ? [{ path: `${path}/services`, error: 'all servers are checked as customStr of the first says' }]
        : []),
    ],
  };
}

function rewriteOptions({ host, path = {}, request, response, sticky }: RewriteHttp): RouteOptions {
  const { fromPath, toPath } = path;
  const both = fromPath === undefined || toPath === undefined ? undefined : { from: fromPath, to: toPath };
  return {
    ...(host !== undefined && host !== '' && request.setHostHeader && { rewriteHost: host }),
    ...(both && request.rewritePath && { rewritePath: both }),
    ...(both && response.rewriteLocation && { rewriteLocation: { from: backwards(both), to: both.from } }),
    ...(sticky?.enabled && { sticky: true, stickyCookie }),
  };
}

/** "" and "/" are the same (A6): what is put in place of it ends as `from` does. */
function backwards({ from, to }: { readonly from: string; readonly to: string }): string {
  if (to !== '' && to !== '/') return to;
  return from.endsWith('/') ? '/' : '';
}

function rewriteNotes(rewrite: RewriteHttp | undefined, path: string): readonly PoolNote[] {
  if (rewrite === undefined) return [];
  const always = (['forwardfor', 'xForwardedPort', 'xForwardedProtoHttpsIfTls'] as const).filter(
    (name) => !rewrite.request[name],
  );
  const at = `${path}/rewriteHttp`;
  const { fromPath, toPath } = rewrite.path ?? {};
  return [
    ...always.map((name) => ({
      path: `${at}/request/${name}`,
      error: 'the edge tells servers so in any case',
    })),
    ...((fromPath === undefined) === (toPath === undefined)
      ? []
      : [{ path: `${at}/path`, error: 'is ignored: fromPath and toPath belong together' }]),
    ...(rewrite.sticky?.enabled && rewrite.sticky.customStr !== ''
      ? [{ path: `${at}/sticky/customStr`, error: ignoredLine(rewrite.sticky.customStr) }]
      : []),
  ];
}
