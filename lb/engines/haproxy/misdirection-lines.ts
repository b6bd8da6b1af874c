import type { Certificate } from '../../../core/model/certificate.ts';
import type { EdgeSettings } from '../../edge/settings.ts';
import { GivenCertificates } from '../../edge/tls/given-certificates.ts';
import { mapFile } from './map-commands.ts';
import { answer, type Page } from './page-lines.ts';

export const misdirected: Page = {
  status: 421,
  why: 'misdirected',
  text: 'This connection is not for this host: ask on another one.',
};

/** Keys of the map: a name is answered with this certificate; no name that we know; this certificate is also for that name. */
const answered = (name: string) => `=${name}`;
const unknown = '=';
const alsoFor = (certificate: string, name: string) => `${certificate}=${name}`;

/** What the map says of the certificates that operators gave: those that are made are for one host each. */
export function coverageOf(given: ReadonlyMap<string, Certificate>): ReadonlyMap<string, string> {
  const chosen = new GivenCertificates(given);
  const entries = new Map<string, string>();
  for (const [n, certificate] of [...given.values()].entries()) {
    const id = String(n);
    for (const host of certificate.hosts) {
      entries.set(alsoFor(id, host), id);
      if (chosen.find(host) === certificate) entries.set(answered(host), id);
    }
    if (chosen.fallback === certificate) entries.set(unknown, id);
  }
  return entries;
}

const look = (key: string) => `${key},map_str(${mapFile('covered')})`;
const parent = (name: string) => `*.%[var(txn.${name}),field(2,.,0)]`;

/**
 * A client asks on one connection for what its certificate is for, and not for other hosts (RFC 9110 §7.4, lb/edge/listeners/server-name.ts).
 * A proxy that we trust speaks for many by one name; a name in a hello that is an address is none.
 */
export function misdirectionLines({
  trustedProxies,
}: Pick<EdgeSettings, 'trustedProxies'>): readonly string[] {
  const astray = 'if { var(txn.astray) -m found }';
  const unlessKnown = `${astray} !{ var(txn.shown) -m found }`;
  const set = 'http-request set-var';
  return [
    ...(trustedProxies.length === 0 ? [] : [`${set}(txn.trusts) bool(true) if trusted`]),
    `${set}(txn.sni) ssl_fc_sni,lower`,
    `http-request unset-var(txn.sni) if { var(txn.sni) -m ip 0.0.0.0/0 ::/0 }`,
    `${set}(txn.astray) bool(true) if { var(txn.sni) -m len gt 0 } { var(txn.host) -m found } !{ var(txn.sni),strcmp(txn.host) eq 0 } !{ var(txn.trusts) -m found }`,
    `${set}-fmt(txn.key) '${answered('%[var(txn.sni)]')}' ${astray}`,
    `${set}(txn.shown) ${look('var(txn.key)')} ${astray}`,
    `${set}-fmt(txn.key) '${answered(parent('sni'))}' ${unlessKnown}`,
    `${set}(txn.shown) ${look('var(txn.key)')} ${unlessKnown}`,
    `${set}(txn.shown) ${look(`str(${unknown})`)} ${unlessKnown}`,
    ...['%[var(txn.host)]', parent('host')].flatMap((name) => [
      `${set}-fmt(txn.key) '${alsoFor('%[var(txn.shown)]', name)}' ${astray} { var(txn.shown) -m found }`,
      `http-request unset-var(txn.astray) ${astray} { ${look('var(txn.key)')} -m found }`,
    ]),
    ...answer(misdirected, astray),
  ];
}
