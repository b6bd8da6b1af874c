import type { Flow } from './conntrack.ts';
import { type Family, familyWords } from './family.ts';

/**
 * Answers that are under way when their flow moves. Their connection is forgotten, so they would begin one of their own, and
 * the client's next datagram would belong to it and go back to the backend that left. So they are tracked in zones of their
 * own: there they become answers of the VIP again, and in the usual zone the client's next datagram begins anew. A zone for
 * each flow, because one client port may soon have left several backends, and in one zone their answers would be alike. Pure.
 */

/** How long such an answer is expected, ms. */
export const lateMs = 5_000;
/** Of how many flows. */
const most = 4_000;
/** Connection tracking of a machine is otherwise in zone 0. */
const zones = { from: 22_000, count: 40_000 };

/** Only there while something is expected: each packet of the host passes them, before it is tracked. */
const chains = { 'late-prerouting': 'prerouting', 'late-output': 'output' } as const;
export const lateChains: readonly string[] = Object.keys(chains);

type Own = { readonly family: Family; readonly table: string };

/** The sets that `expectLate` fills. A flow is who answers and whom: two addresses, two ports. */
export function lateSets({ family, table }: Own): readonly string[] {
  const { ip, address } = familyWords(family);
  const flow = `${address} . inet_service . ${address} . inet_service`;
  const fades = `flags timeout; timeout ${lateMs / 1_000}s;`;
  return [
    // The zone.
    `add map ${ip} ${table} late { typeof ${flowOf(ip)} : ct zone; ${fades} }`,
    // Whose answer it is: the VIP's.
    `add map ${ip} ${table} late-sources { type ${flow} : ${address} . inet_service; ${fades} }`,
    // Who asked, where the backend saw another (masquerade).
    `add map ${ip} ${table} late-clients { type ${flow} : ${address} . inet_service; ${fades} }`,
  ];
}

export function lateRules({ family, table }: Own): readonly string[] {
  const { ip } = familyWords(family);
  const change = (chain: string, what: string) =>
    `add rule ${ip} ${table} ${chain} meta l4proto udp ${what.replace('?', `${ip} to ${flowOf(ip)} map`)}`;
  return [
    change('prerouting', 'dnat ? @late-clients'),
    change('postrouting', 'snat ? @late-sources'),
    change('input', 'snat ? @late-sources'),
  ];
}

/** A transaction, after which answers of these flows get to their clients though the flows are forgotten. */
export function expectLate(own: Own, stale: readonly Flow[]): string {
  const { ip } = familyWords(own.family);
  const t = `${ip} ${own.table}`;
  const answered = stale.filter(({ to, by }) => word(to) !== word(by)).slice(0, most);
  const masked = answered.filter(({ from, seen }) => word(from) !== word(seen));
  const rules = Object.entries(chains).flatMap(([chain, hook]) => [
    `add chain ${t} ${chain} { type filter hook ${hook} priority -300; }`,
    `flush chain ${t} ${chain}`,
    `add rule ${t} ${chain} meta l4proto udp ct zone set ${flowOf(ip)} map @late`,
  ]);
  return lines([
    ...rules,
    ...elements(
      `${t} late`,
      answered.map((flow) => [`${word(flow.by)} . ${word(flow.seen)}`, zoneOf(flow)]),
    ),
    ...elements(
      `${t} late-sources`,
      answered.map(({ by, from, to }) => [`${word(by)} . ${word(from)}`, word(to)]),
    ),
    ...elements(
      `${t} late-clients`,
      masked.map(({ by, seen, from }) => [`${word(by)} . ${word(seen)}`, word(from)]),
    ),
  ]);
}

/** Before a transaction of `expectLate` that the kernel refused, because a port has another user by now. */
export function forgetLate({ family, table }: Own): string {
  const { ip } = familyWords(family);
  return lines(['late', 'late-sources', 'late-clients'].map((map) => `flush map ${ip} ${table} ${map}`));
}

/** Also right where nothing was expected. */
export function endLate({ family, table }: Own): string {
  const { ip } = familyWords(family);
  return lines(
    Object.entries(chains).flatMap(([chain, hook]) => [
      `add chain ${ip} ${table} ${chain} { type filter hook ${hook} priority -300; }`,
      `flush chain ${ip} ${table} ${chain}`,
      `delete chain ${ip} ${table} ${chain}`,
    ]),
  );
}

/** One that is there already gets its time anew only when it is taken away in between. */
function elements(name: string, all: readonly (readonly [string, string])[]): readonly string[] {
  if (all.length === 0) return [];
  const list = [...new Map(all)].map(([key, value]) => `${key} : ${value}`).join(', ');
  return ['add', 'delete', 'add'].map((verb) => `${verb} element ${name} { ${list} }`);
}

/** The same for the same flow: an element that is there already does not contradict. */
function zoneOf({ by, seen, from }: Flow): string {
  let hash = 0;
  for (const letter of `${word(by)} ${word(seen)} ${word(from)}`)
    hash = (Math.imul(hash, 31) + letter.charCodeAt(0)) >>> 0;
  return String(zones.from + (hash % zones.count));
}

function flowOf(ip: string): string {
  return `${ip} saddr . udp sport . ${ip} daddr . udp dport`;
}

function word({ address, port }: Flow['by']): string {
  return `${address} . ${port}`;
}

function lines(all: readonly string[]): string {
  return `${all.join('\n')}\n`;
}
