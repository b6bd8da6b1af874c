import type { ActiveCheck, RouteOptions, UpstreamTls } from '../model/route.ts';

export type ServerWords = {
  readonly options: RouteOptions;
  readonly weight?: number;
  readonly backup?: true;
  /** Words that nothing comes of, each with what belongs to it. */
  readonly rest: readonly string[];
};

type Read = {
  checked?: true;
  check: ActiveCheck;
  secure?: true;
  tls: UpstreamTls;
  protocol?: 'h2c';
  sendProxy?: 'v1' | 'v2';
  weight?: number;
  backup?: true;
};

/** What a word says; `value` is the next one, '' for none. Undefined: nothing comes of it. */
type Meaning = (value: string) => Partial<Read> | undefined;

/** What the words behind a server's address in HAProxy's configuration mean: `check inter 10s fall 3 ssl verify none`. */
export function serverWords(text: string): ServerWords {
  const words = text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== '');
  let read: Read = { check: {}, tls: {} };
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const isPair = Object.hasOwn(pairs, word);
    const value = isPair ? (words[++at] ?? '') : '';
    const said = isPair ? pairs[word]?.(value) : Object.hasOwn(flags, word) ? flags[word] : undefined;
    if (said === undefined) rest.push(`${word} ${value}`.trim());
    else
      read = { ...read, ...said, check: { ...read.check, ...said.check }, tls: { ...read.tls, ...said.tls } };
  }
  const { weight, backup } = read;
  return {
    options: optionsOf(read),
    ...(weight !== undefined && { weight }),
    ...(backup && { backup }),
    rest,
  };
}

function optionsOf({ checked, check, secure, tls, protocol, sendProxy }: Read): RouteOptions {
  return {
    ...(checked && { check }),
    ...(secure && { tls: tls.insecure ? { insecure: true } : tls }),
    ...(protocol && { protocol: secure ? 'h2' : protocol }),
    ...(sendProxy && { sendProxy }),
  };
}

const flags: Readonly<Record<string, Partial<Read>>> = {
  check: { checked: true },
  ssl: { secure: true },
  // Checks speak as requests do.
  'check-ssl': {},
  'check-send-proxy': {},
  'send-proxy': { sendProxy: 'v1' },
  'send-proxy-v2': { sendProxy: 'v2' },
  backup: { backup: true },
};

const pairs: Readonly<Record<string, Meaning>> = {
  inter: (value) => timed(value, (ms) => ({ check: { intervalMs: Math.max(100, ms) } })),
  fall: (value) => counted(value, (fall) => ({ check: { fall } })),
  rise: (value) => counted(value, (rise) => ({ check: { rise } })),
  proto: (value) => (value === 'h2' ? { protocol: 'h2c' } : undefined),
  alpn: (value) => (value.split(',').includes('h2') ? { protocol: 'h2c' } : undefined),
  verify: (value) => (value === 'none' ? { tls: { insecure: true } } : value === 'required' ? {} : undefined),
  verifyhost: (value) => named(value),
  sni: (value) => named(/^str\(([^()]+)\)$/.exec(value)?.[1] ?? ''),
  weight: (value) =>
    /^\d{1,3}$/.test(value) && Number(value) <= 256 ? { weight: Number(value) } : undefined,
  // Names and ids are given by rule (ingress.md B4), cookies by HAPROXY_n_STICKY.
  id: () => ({}),
  cookie: () => ({}),
  // These would be taken for flags otherwise.
  ...Object.fromEntries(
    ['ca-file', 'ciphers', 'crl-file', 'crt', 'fastinter', 'downinter', 'maxconn', 'maxqueue', 'minconn']
      .concat(['error-limit', 'observe', 'on-error', 'on-marked-down', 'on-marked-up', 'port', 'resolvers'])
      .concat(['resolve-prefer', 'init-addr', 'slowstart', 'source', 'ssl-min-ver', 'ssl-max-ver', 'track'])
      .map((word) => [word, () => undefined]),
  ),
};

function timed(value: string, means: (ms: number) => Partial<Read>): Partial<Read> | undefined {
  const ms = milliseconds(value);
  return ms === undefined ? undefined : means(ms);
}

function counted(value: string, means: (count: number) => Partial<Read>): Partial<Read> | undefined {
  return /^[1-9]\d?$/.test(value) ? means(Number(value)) : undefined;
}

function named(value: string): Partial<Read> | undefined {
  return /^[A-Za-z0-9._-]+$/.test(value) ? { tls: { serverName: value } } : undefined;
}

/** HAProxy's times: milliseconds, or a number with its unit. */
export function milliseconds(time: string): number | undefined {
  const [, digits, unit = 'ms'] = /^(\d{1,8})(ms|s|m|h|d)?$/.exec(time) ?? [];
  const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit];
  return digits === undefined || factor === undefined || Number(digits) === 0
    ? undefined
    : Math.min(86_400_000, Number(digits) * factor);
}
