import type { EdgeSettings } from '../../edge/settings.ts';

/** What a line of HAProxy's log tells, in this order: values have no spaces, `-` stands for none. `n`, `s`: of a request, of another connection. */
export const requestFields = {
  kind: 'n',
  at: '%[var(txn.at)]',
  id: '%[var(txn.id),url_enc]',
  client: '%ci',
  peer: '%[var(txn.client)]',
  secure: '%[ssl_fc]',
  protocol: '%HV',
  tls: '%sslv',
  host: '%[var(txn.asked_host),bytes(0,1000),url_enc]',
  method: '%HM',
  target: '%[var(txn.asked),bytes(0,8000),url_enc]',
  status: '%ST',
  end: '%ts',
  headMs: '%TR',
  waitMs: '%Tw',
  connectMs: '%Tc',
  answerMs: '%Tr',
  activeMs: '%Ta',
  bytesIn: '%U',
  bytesOut: '%B',
  backend: '%b',
  server: '%s',
  retries: '%rc',
  why: '%[var(txn.why)]',
} as const;

export const streamFields = {
  kind: 's',
  at: '%Ts%ms',
  door: '%[so_id]',
  client: '%ci',
  host: '%[var(txn.sni),bytes(0,1000),url_enc]',
  end: '%ts',
  connectMs: '%Tc',
  totalMs: '%Tt',
  bytesIn: '%U',
  bytesOut: '%B',
  backend: '%b',
  server: '%s',
  why: '%[var(txn.why)]',
} as const;

/** A longer line is cut; what a client can say in it is cut before. */
export const longestLine = 65_535;

/** To the standard output, which nobody waits for: a line that its reader has no room for is dropped and counted. */
export function logLines(
  { accessLog }: EdgeSettings,
  fields: Readonly<Record<string, string>>,
): readonly string[] {
  if (accessLog === undefined) return [];
  return [
    `log stdout len ${longestLine} format raw local0`,
    `log-format '${Object.values(fields).join(' ')}'`,
  ];
}

/** What is gone, or another, when a request is over. `before`: whatever else happens to it. */
export function notedLines({ accessLog }: EdgeSettings): {
  readonly before: readonly string[];
  readonly after: readonly string[];
} {
  if (accessLog === undefined) return { before: [], after: [] };
  return {
    before: [
      'http-request set-var(txn.at) date(0,ms)',
      'http-request set-var(txn.client) src',
      'http-request set-var(txn.asked_host) req.hdr(host)',
      'http-request set-var(txn.asked) pathq',
    ],
    after: ['http-request set-var(txn.id) req.hdr(x-request-id)'],
  };
}
