import { isIPv6 } from 'node:net';
import type { VipService, VipTarget } from '../../table.ts';
import { type Family, familyWords } from './family.ts';

/*
 * Clients that stay with their backend for a while. A map says where a client's last connection to a service went, and each
 * of its elements ends by itself. It is filled after translation, when the choice is made, and only with what another map
 * calls a backend of the service: so whoever takes a backend away, and then what leads there, is done.
 */

const protocols = ['tcp', 'udp'] as const;
/** Clients that are remembered for each protocol; beyond that a client is led like any other. */
const mostClients = 65_536;

/** How long a service's clients stay, s; undefined: they do not. */
export function affinityOf({ address, affinitySeconds }: VipService): number | undefined {
  return isIPv6(address) ? undefined : affinitySeconds;
}

/** nft cannot write a rule that notes two IPv6 addresses: there a client stays by the hash of its own. */
export function inRules(service: VipService): VipService {
  const { address, affinitySeconds, balance } = service;
  if (affinitySeconds === undefined || !isIPv6(address) || balance === 'source-hash') return service;
  return { ...service, balance: 'source-hash' };
}

type Own = { readonly family: Family; readonly table: string };

export function affinityObjects({ family, table }: Own): readonly string[] {
  if (family === 6) return [];
  return protocols.flatMap((l4) => [
    `add map ip ${table} ${l4}-affinity { typeof ip saddr . ip daddr . ${l4} dport : ip daddr . ${l4} dport; flags dynamic,timeout; size ${mostClients}; }`,
    `add map ip ${table} ${l4}-affine { type ipv4_addr . inet_service . ipv4_addr . inet_service : verdict; }`,
  ]);
}

/** After translation, before anything changes who asks. */
export function affinityRules({ family, table }: Own, chain: string): readonly string[] {
  if (family === 6) return [];
  return protocols.map(
    (l4) =>
      `add rule ip ${table} ${chain} meta l4proto ${l4} ct original ip daddr . ct original proto-dst . ip daddr . ${l4} dport vmap @${l4}-affine`,
  );
}

export function keptRule(t: string, chain: string): string {
  const l4 = chain.slice(0, 3);
  return `add rule ${t} ${chain} meta l4proto ${l4} dnat ip to ip saddr . ip daddr . ${l4} dport map @${l4}-affinity`;
}

export function rememberRules(t: string, chain: string, seconds: number): readonly string[] {
  return protocols.map((l4) => {
    const key = `ip saddr . ct original ip daddr . ct original proto-dst timeout ${seconds}s`;
    return `add rule ${t} ${chain} meta l4proto ${l4} update @${l4}-affinity { ${key} : ip daddr . ${l4} dport }`;
  });
}

/** A client's service and where its connections go, as words of nft. */
type Stay = { readonly key: string; readonly service: string; readonly to: string };

/** What `nft list map` prints of a map of clients. */
export function parseStays(text: string): readonly Stay[] {
  return [...text.matchAll(stay)].map(([, client, service, to]) => ({
    key: `${client} . ${service}`,
    service: service!,
    to: to!,
  }));
}

const stay = /([\d.]+) \. ([\d.]+ \. \d+)(?: timeout \w+)?(?: expires \w+)? : ([\d.]+ \. \d+)/g;

/** Those, of the services `among` or of any, that lead to no backend of a service that keeps its clients. */
export function strayStays(
  stays: readonly Stay[],
  services: Iterable<VipService>,
  among?: ReadonlySet<string>,
): readonly Stay[] {
  const right = new Map(
    [...services]
      .filter((service) => affinityOf(service) !== undefined)
      .map((service) => [placeOf(service), new Set(service.backends.map(placeOf))]),
  );
  return stays.filter(
    ({ service, to }) => (among?.has(service) ?? true) && right.get(service)?.has(to) !== true,
  );
}

/** As the map has it. */
export function placeOf({ address, port }: Pick<VipTarget, 'address' | 'port'>): string {
  return `${address} . ${port}`;
}

/** Elements of a transaction's line: a line of a session is bounded. */
const perTransaction = 30;

/** One that ended meanwhile is added first, so that taking it away does not fail. */
export function forgetStays(
  { family, table }: Own,
  l4: (typeof protocols)[number],
  stays: readonly Stay[],
): readonly string[] {
  const map = `element ${familyWords(family).ip} ${table} ${l4}-affinity`;
  return Array.from({ length: Math.ceil(stays.length / perTransaction) }, (_, i) => {
    const list = stays
      .slice(i * perTransaction, (i + 1) * perTransaction)
      .map(({ key, to }) => `${key} : ${to}`)
      .join(', ');
    return `add ${map} { ${list} }\ndelete ${map} { ${list} }\n`;
  });
}
