import { plainName } from '../../../core/model/haproxy-lacks.ts';
import type { ActiveCheck, HashBy, RouteOptions } from '../../../core/model/route.ts';
import { word } from './words.ts';

const defaultCheck = { intervalMs: 5_000, timeoutMs: 2_000, fall: 3, rise: 2 };
const retried = new Set([401, 403, 404, 408, 425, 500, 501, 502, 503, 504]);
const textTypes =
  'text/html text/plain text/css text/xml text/javascript text/csv text/markdown application/json application/javascript application/xml application/xhtml+xml application/rss+xml application/atom+xml application/wasm image/svg+xml';

/** Where requests go, and how patiently. */
export function trafficLines(options: RouteOptions): readonly string[] {
  const { balance, check, compress } = options;
  return [
    ...balanceLines(balance, hashLines(options.hashBy)),
    'option allbackups',
    ...retryLines(options.retries),
    ...timeoutLines(options.timeouts),
    ...(check === undefined ? [] : checkLines(check)),
    ...(compress === undefined
      ? []
      : ['compression algo gzip', `compression type ${typesOf(compress.types)}`]),
  ];
}

/** The same for connections that are not HTTP; how long they may be quiet is said by their listener. */
export function streamTrafficLines({ balance, retries, timeouts, check }: RouteOptions): readonly string[] {
  const { connectMs } = timeouts ?? {};
  return [
    ...balanceLines(balance, ['tcp-request content set-var(txn.hash) src']),
    'option allbackups',
    ...(retries?.attempts === undefined ? [] : [`retries ${retries.attempts}`]),
    ...(connectMs === undefined ? [] : [`timeout connect ${connectMs}ms`]),
    ...(check === undefined ? [] : checkLines(check)),
  ];
}

/** How its servers are looked after. */
export function healthOptions(
  { check }: RouteOptions,
  { slowStartMs }: { readonly slowStartMs: number },
  /** Of which failures of clients' requests count as those of checks. */
  layer: 'layer4' | 'layer7' = 'layer7',
): readonly string[] {
  const { intervalMs, fall, rise } = { ...defaultCheck, ...check };
  return [
    ...(slowStartMs > 0 ? [`slowstart ${slowStartMs}ms`] : []),
    ...(check === undefined
      ? []
      : [
          'check',
          `inter ${intervalMs}ms fall ${fall} rise ${rise}`,
          `observe ${layer} error-limit 5 on-error fail-check`,
        ]),
  ];
}

/** `hashed`: finds out what `hash` balances by. */
function balanceLines(balance: RouteOptions['balance'], hashed: readonly string[]): readonly string[] {
  switch (balance) {
    case 'least-requests':
      return ['balance leastconn'];
    case 'two-choices':
      return ['balance random(2)'];
    case 'hash':
      return [
        ...hashed,
        'balance hash var(txn.hash)',
        'hash-type consistent sdbm avalanche',
        'hash-balance-factor 125',
      ];
    default:
      return ['balance roundrobin'];
  }
}

/** Where the request has no such thing the client's address spreads it. */
function hashLines({ from, name = '' }: HashBy = { from: 'address' }): readonly string[] {
  const address = 'http-request set-var(txn.hash) src';
  if (from === 'address' || !plainName.test(from === 'path' ? 'path' : name)) return [address];
  const fetch = {
    header: `req.fhdr(${name})`,
    cookie: `req.cook(${name})`,
    query: `url_param(${name})`,
    path: 'path',
  }[from];
  return [`http-request set-var(txn.hash) ${fetch}`, `${address} unless { var(txn.hash) -m found }`];
}

function retryLines(retries: RouteOptions['retries']): readonly string[] {
  if (retries === undefined) return [];
  const { attempts = 1, statuses = [] } = retries;
  const after = statuses.filter((status) => retried.has(status));
  if (attempts === 0) return ['retry-on conn-failure'];
  return [
    `retries ${attempts}`,
    `retry-on conn-failure empty-response${after.map((one) => ` ${one}`).join('')}`,
  ];
}

function timeoutLines(timeouts: RouteOptions['timeouts']): readonly string[] {
  if (timeouts === undefined) return [];
  const { connectMs, firstByteMs, idleMs } = timeouts;
  const server = Math.max(firstByteMs ?? 0, idleMs ?? 0);
  return [
    ...(connectMs === undefined ? [] : [`timeout connect ${connectMs}ms`]),
    ...(server === 0 ? [] : [`timeout server ${server}ms`]),
  ];
}

function checkLines({
  path,
  host = 'weir-check',
  timeoutMs = defaultCheck.timeoutMs,
}: ActiveCheck): readonly string[] {
  return [
    `timeout check ${timeoutMs}ms`,
    ...(path === undefined
      ? []
      : [
          'option httpchk',
          `http-check send meth GET uri ${word(path)} ver HTTP/1.1 hdr Host ${word(host)} hdr Connection close`,
          'http-check expect rstatus ^[23]',
        ]),
  ];
}

/** HAProxy takes types as beginnings. */
function typesOf(types: readonly string[] | undefined): string {
  if (types === undefined) return textTypes;
  return types.map((type) => word(type.replace(/\*$/, ''))).join(' ');
}
