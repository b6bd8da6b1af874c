import { isIPv4 } from 'node:net';
import { contains, parseCidr4, parseIpv4 } from '../../../../core/kit/ip.ts';
import type { VipProblem, VipService, VipTable } from '../../table.ts';

export type Servable = {
  readonly table: VipTable;
  /** Addresses of services outside the ranges; each is ours as a whole, like an address inside. */
  readonly literals: ReadonlySet<string>;
  readonly problems: readonly VipProblem[];
};

/** Splits a table into what this backend serves and what it cannot, with the reason. */
export function servable(wanted: VipTable, ranges: readonly string[]): Servable {
  const services = new Map<string, VipService>();
  const problems: VipProblem[] = [];
  const literals = new Set<string>();
  const cidrs = ranges.map(parseCidr4);
  for (const [key, service] of wanted.services) {
    const reason = faultOf(service);
    if (reason === undefined) services.set(key, service);
    else problems.push({ key, reason: `Cannot serve ${key}: ${reason}` });
    if (reason === undefined && !cidrs.some((cidr) => contains(cidr, parseIpv4(service.address))))
      literals.add(service.address);
  }
  return { table: { services, problems: [] }, literals, problems };
}

function faultOf(service: VipService): string | undefined {
  if (!isIPv4(service.address)) return 'the nftables backend serves IPv4 addresses only';
  if (service.address.startsWith('127.')) return 'a loopback address cannot be forwarded to another machine';
  return undefined;
}
