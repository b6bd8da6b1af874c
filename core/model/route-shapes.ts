import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { RE2JS } from 're2js';
import {
  amount,
  flag,
  listOf,
  mapped,
  may,
  needed,
  type Reader,
  shaped,
  text,
  where,
  whole,
} from '../kit/shape.ts';
import type { ServiceRef, ValueCondition } from './route.ts';

/** Readers of the small values that route definitions are made of. */

export const hostName = mapped(
  text(
    /^(\*|(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)$/i,
    'a host name, one that begins with *., or *',
  ),
  (host) => host.toLowerCase(),
);

export const tableName = text(
  /^[!-{}~]{1,200}$/,
  'the name of a table of routes: visible characters without |',
);

/** Visible characters only: it becomes part of a head. */
export const path = text(/^\/[!"$->@-~]*$/, 'a path that begins with /, without ? and #');
const visible = /^[ -~\u0080-\u00ff]*$/;
export const fieldName = where(text(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'a field name'), (name) =>
  untouchable.has(name.toLowerCase()) ? 'cannot be changed: it is about the connection' : undefined,
);
export const fieldText = text(/^[!-~]([ -~\t]*[!-~])?$/, 'the value of a field: visible characters');
export const plainName = text(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, 'a name without spaces and quotes');
export const line = text(visible, 'one line of text');
export const address = where(text(/./, 'an address or range'), (range) =>
  isRange(range) ? undefined : 'must be an address or a range such as 10.0.0.0/8',
);
export const authorities = where(
  text(/^[\s\S]{1,200000}$/, 'PEM: one or more "BEGIN CERTIFICATE" blocks'),
  (pem) => authoritiesFault(pem),
);
export const ms = whole(1, 86_400_000);
export const count = whole(1, 1_000_000_000);
export const percent = amount(0, 100);

/** Absent and false are the same. */
export const only: Reader<true> = mapped(
  where(flag, (value) => (value ? undefined : 'must be true, or left out')),
  () => true as const,
);

export const expression = where(text(/^[\s\S]{1,2000}$/, 'a regular expression of RE2'), (source) =>
  regexFault(source),
);

export const service: Reader<ServiceRef> = mapped(
  shaped<{ app: string; portIndex?: number }>({
    app: needed(appId()),
    portIndex: may(whole(0, 1_000)),
  }),
  ({ app, portIndex = 0 }) => ({ appId: app, portIndex }),
);

export const conditions: Reader<readonly ValueCondition[]> = listOf(
  where(
    shaped<ValueCondition>({
      name: needed(text(/^[^\s]{1,200}$/, 'a name')),
      exact: may(text(/^[\s\S]{0,4000}$/, 'a text')),
      regex: may(expression),
      absent: may(only),
    }),
    ({ exact, regex, absent }) =>
      [exact, regex, absent].filter((one) => one !== undefined).length > 1
        ? 'can have one of exact, regex and absent'
        : undefined,
  ),
  20,
);

export function appId(): Reader<string> {
  return text(/^\/[^\s]+$/, 'the id of an app, such as /shop/web');
}

export function regexFault(source: string): string | undefined {
  try {
    RE2JS.compile(source);
    return undefined;
  } catch (error) {
    return `is not a regular expression of RE2: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** How many groups it has. */
export function groupsOf(source: string): number {
  return RE2JS.compile(source).groupCount();
}

export function isRange(range: string): boolean {
  const [ip = '', prefix, ...rest] = range.split('/');
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(ip)] ?? -1;
  const fits = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  return bits > 0 && fits && rest.length === 0;
}

/** Framing, routing and what the edge itself writes. */
const untouchable = new Set([
  'connection',
  'content-length',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function authoritiesFault(pem: string): string | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return 'must be PEM: one or more "BEGIN CERTIFICATE" blocks';
  for (const [n, block] of blocks.entries()) {
    try {
      if (!new X509Certificate(block).ca) return `certificate ${n} is not that of an authority (CA:TRUE)`;
    } catch {
      return `certificate ${n} cannot be read`;
    }
  }
  return undefined;
}
