import type { ZoneOptions } from '../options.ts';
import type { Given } from '../record-set.ts';
import type { Name } from '../wire/types.ts';
import { reverseZones } from './reverse.ts';
import { Sheet } from './sheet.ts';

/** The zones we are the authority of. */
export function ownZones(options: ZoneOptions): readonly Name[] {
  const { mesosDomain, weirDomain, dcosDomain } = options;
  return [mesosDomain, weirDomain, dcosDomain, ...options.reverse.flatMap(reverseZones)];
}

/** The name server's name, one for all zones (dns.md §3.5, §8). */
export function nameserverName(options: ZoneOptions): Name {
  return `ns1.${options.mesosDomain}`;
}

/** What does not depend on the Directory. SOA records carry the revision and are made per answer. */
export function recordsOfZones(zones: readonly Name[], options: ZoneOptions): readonly Given[] {
  const sheet = new Sheet('zones', options.ttl);
  const server = nameserverName(options);
  sheet.addresses('name server', server, options.nameserver);
  for (const zone of zones) sheet.target('name server of a zone', 'NS', zone, server);
  if (options.thisNode !== undefined) {
    sheet.addresses('this machine', `thisnode.${options.dcosDomain}`, [options.thisNode]);
  }
  return sheet.given;
}
