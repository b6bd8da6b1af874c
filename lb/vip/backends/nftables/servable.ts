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

type Range = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** Splits a table into what this backend serves and what it cannot, with the reason; services of another family are not its own. */
export class Servables {
  readonly #family: Family;
  readonly #ranges: readonly Range[];
  /** What was found out about a service: most are the same in the next table. */
  readonly #known = new WeakMap<VipService, { readonly reason?: string; readonly isLiteral: boolean }>();

  constructor(family: Family, ranges: readonly string[]) {
    this.#family = family;
    this.#ranges = ranges.map((range) => ipaddr.parseCIDR(range));
  }

  of(wanted: VipTable): Servable {
    const services = new Map<string, VipService>();
    const problems: VipProblem[] = [];
    const literals = new Set<string>();
    for (const [key, service] of wanted.services) {
      if (isIPv6(service.address) !== (this.#family === 6)) continue;
      const { reason, isLiteral } = this.#about(service);
      if (reason === undefined) services.set(key, service);
      else problems.push({ key, reason: `Cannot serve ${key}: ${reason}` });
      if (isLiteral) literals.add(service.address);
    }
    return { table: { services, problems: [] }, literals, problems };
  }

  /** True for an address of the ranges. */
  contains(address: string): boolean {
    const parsed = ipaddr.parse(address);
    return this.#ranges.some((range) => parsed.kind() === range[0].kind() && parsed.match(range as never));
  }

  #about(service: VipService) {
    const known = this.#known.get(service);
    if (known !== undefined) return known;
    const reason = faultOf(service);
    const isLiteral = reason === undefined && !this.contains(service.address);
    const about = { ...(reason === undefined ? {} : { reason }), isLiteral };
    this.#known.set(service, about);
    return about;
  }
}

function faultOf({ address }: VipService): string | undefined {
  if (!address.startsWith('127.') && address !== '::1') return undefined;
  return 'a loopback address cannot be forwarded to another machine';
}
