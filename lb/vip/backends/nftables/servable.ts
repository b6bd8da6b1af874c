import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { VipProblem, VipService, VipTable } from '../../table.ts';
import type { Family } from './family.ts';

export type Servable = {
  readonly table: VipTable;
  /** Addresses of services outside the ranges; each is ours as a whole, like an address inside. */
  readonly literals: ReadonlySet<string>;
  readonly problems: readonly VipProblem[];
};

type About = { readonly isOwn: boolean; readonly reason?: string; readonly isLiteral: boolean };

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Splits a table into what this backend serves and what it cannot, with the reason; services of another family are not its own. */
export class Servables {
  readonly #family: Family;
  readonly #ranges: readonly Range[];
  /** What was found out about a service: most are the same in the next table. */
  readonly #known = new WeakMap<VipService, About>();

  constructor(family: Family, ranges: readonly string[]) {
    this.#family = family;
    this.#ranges = ranges.map((range) => ipaddr.parseCIDR(range));
  }

  of(wanted: VipTable): Servable {
    const problems: VipProblem[] = [];
    const literals = new Set<string>();
    const others: string[] = [];
    for (const [key, service] of wanted.services) {
      const { isOwn, reason, isLiteral } = this.#about(service);
      if (isLiteral) literals.add(service.address);
      if (isOwn && reason === undefined) continue;
      others.push(key);
      if (isOwn) problems.push({ key, reason: `Cannot serve ${key}: ${reason}` });
    }
    return { table: { services: without(wanted.services, others), problems: [] }, literals, problems };
  }

  /** True for an address of the ranges. */
  contains(address: string): boolean {
    const parsed = ipaddr.parse(address);
    return this.#ranges.some((range) => parsed.kind() === range[0].kind() && parsed.match(range as never));
  }

  #about(service: VipService): About {
    const known = this.#known.get(service);
    if (known !== undefined) return known;
    const isOwn = isIPv6(service.address) === (this.#family === 6);
    const reason = faultOf(service);
    const isLiteral = isOwn && reason === undefined && !this.contains(service.address);
    const about = { isOwn, ...(reason === undefined ? {} : { reason }), isLiteral };
    this.#known.set(service, about);
    return about;
  }
}

/** The identical map where there is nothing to leave out, which is so nearly always. */
function without(
  services: ReadonlyMap<string, VipService>,
  keys: readonly string[],
): ReadonlyMap<string, VipService> {
  if (keys.length === 0) return services;
  const left = new Map(services);
  for (const key of keys) left.delete(key);
  return left;
}

function faultOf({ address }: VipService): string | undefined {
  if (!address.startsWith('127.') && address !== '::1') return undefined;
  return 'a loopback address cannot be forwarded to another machine';
}
