import type { ZoneOptions } from '../options.ts';
import type { Given } from '../record-source.ts';
import { CLASS, type Name, type SoaRecord } from '../wire/types.ts';
import { reverseZones } from './reverse.ts';
import { Sheet } from './sheet.ts';

/** A zone of ours. Those of DC/OS have a name server and a SOA of their own (dns.md §9). */
export type OwnZone = { readonly apex: Name; readonly dcos: boolean };

const dcosServer = 'ns.spartan';
const dcosServerTtl = 3_600;

/** The zones we are the authority of. */
export function ownZones(options: ZoneOptions): readonly OwnZone[] {
  const { mesosDomain, weirDomain, dcosDomain } = options;
  const ours = [mesosDomain, weirDomain, ...options.reverse.flatMap(reverseZones)];
  const dcos = [dcosDomain, `dcos.${dcosDomain}`, `l4lb.${dcosDomain}`, 'zk', 'spartan'];
  return [...ours.map((apex) => ({ apex, dcos: false })), ...dcos.map((apex) => ({ apex, dcos: true }))];
}

/** What does not depend on the Directory. SOA records carry the revision and are made per answer. */
export function recordsOfZones(zones: readonly OwnZone[], options: ZoneOptions): readonly Given[] {
  const [sheet, dcos] = [new Sheet(options.ttl), new Sheet(dcosServerTtl)];
  const server = serverOf(options);
  // one of others has its addresses from them
  if (zones.some(({ apex }) => server.endsWith(`.${apex}`)))
    sheet.addresses('name server', server, options.nameserver);
  sheet.addresses('name server', dcosServer, options.nameserver);
  for (const zone of zones) {
    if (zone.dcos) dcos.target('name server of a zone', 'NS', zone.apex, dcosServer);
    else sheet.target('name server of a zone', 'NS', zone.apex, server);
  }
  const here = `thisnode.${options.dcosDomain}`;
  if (options.thisNode !== undefined) sheet.addresses('this machine', here, [options.thisNode]);
  sheet.addresses('this machine, for the public', `public.${here}`, options.publicAddresses);
  for (const record of options.records) sheet.configured('by configuration', record);
  return [...sheet.given, ...dcos.given];
}

/** There as long as the resolver has a Directory to answer from (dns.md §9). */
export function recordsWhenReady(options: ZoneOptions): readonly Given[] {
  const sheet = new Sheet(options.ttl);
  sheet.addresses('the resolver is ready', 'ready.spartan', ['127.0.0.1']);
  return sheet.given;
}

/** The SOA of a zone; `ttl` in seconds. The serial number of our own zones is the Directory's revision. */
export function soaOfZone(
  { apex, dcos }: OwnZone,
  { options, ttl, revision }: { options: ZoneOptions; ttl: number; revision: number },
): SoaRecord {
  const common = { type: 'SOA', name: apex, class: CLASS.IN, ttl } as const;
  const times = { refresh: 60, expire: 86_400, minimum: options.negativeTtl };
  if (dcos) {
    const rname = 'support.mesosphere.com';
    return { ...common, ...times, mname: dcosServer, rname, serial: 1, retry: 180 };
  }
  const mname = serverOf(options);
  const serial = revision >>> 0;
  const rname = `root.ns1.${options.mesosDomain}`;
  return { ...common, ...times, mname, rname, serial, retry: 600, ...options.soa };
}

/** The name server's name, one for all zones but DC/OS's (dns.md §3.5, §8). */
function serverOf({ soa, mesosDomain }: ZoneOptions): Name {
  return soa?.mname ?? `ns1.${mesosDomain}`;
}
