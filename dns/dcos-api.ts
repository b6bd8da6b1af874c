import type { Endpoint, Vip } from '../core/model/directory.ts';
import type { AppId } from '../core/model/ids.ts';
import { vipBackends } from '../core/model/vip-backends.ts';
import { canonicalName, dcosAliases } from './handlers/aliases.ts';
import { pageOf } from './http-list.ts';
import { type HttpReply, notFound, notImplemented, ok, pathParts } from './http-reply.ts';
import type { PathAndPage } from './protocol.ts';
import type { Name, ResourceRecord, SrvRecord } from './wire/types.ts';
import type { Zone } from './zone.ts';

const version = { Service: 'dcos-dns', Version: '1.0.0' };

/** The DC/OS DNS HTTP API (dns.md §11, vip.md §11): the reply to GET of a path. `at`: when the Directory was last heard of, Unix ms. */
export function dcosReply(zone: Zone, { path, from = 0 }: PathAndPage, at: number): HttpReply {
  const parts = pathParts(path);
  if (parts?.[0] !== 'v1') return notFound;
  const [, kind, name, ...more] = parts;
  if (parts.length === 2) return kind === 'records' ? records(zone, from) : wholeReply(zone, kind, at);
  if (name === undefined || more.length > 0) return notFound;
  if (kind === 'hosts') return ok(hosts(zone, nameIn(name)));
  if (kind === 'services') return ok(services(zone, nameIn(name)));
  return notFound;
}

function wholeReply(zone: Zone, kind: string | undefined, at: number): HttpReply {
  switch (kind) {
    case 'version':
      return ok(version);
    case 'config':
    case 'enumerate':
      return notImplemented;
    case 'nodes':
      return ok(nodes(zone, at));
    case 'vips':
      return ok(vips(zone));
    default:
      return notFound;
  }
}

function nameIn(text: string): Name {
  return text.toLowerCase().replace(/\.$/, '');
}

function hosts(zone: Zone, host: Name): readonly object[] {
  return addressesOf(zone, host).map((ip) => ({ host, ip }));
}

function services(zone: Zone, service: Name): readonly object[] {
  return recordsOf(zone, service, 'SRV').flatMap((record) =>
    record.type === 'SRV' ? serviceEntry(zone, service, record) : [],
  );
}

function serviceEntry(zone: Zone, service: Name, { target, port }: SrvRecord): object {
  const [ip] = addressesOf(zone, target);
  return { service, host: target, port, ...(ip === undefined ? {} : { ip }) };
}

function addressesOf(zone: Zone, name: Name): readonly string[] {
  const records = [...recordsOf(zone, name, 'A'), ...recordsOf(zone, name, 'AAAA')];
  return records.flatMap((record) => ('address' in record ? record.address : []));
}

function recordsOf(zone: Zone, name: Name, type: 'A' | 'AAAA' | 'SRV'): readonly ResourceRecord[] {
  return zone.store.set(canonicalName(name, dcosAliases(zone.options)), type)?.records ?? [];
}

/** All of them could be hundreds of thousands. */
function records({ store }: Zone, from: number): HttpReply {
  function* items(part: number): Iterable<string> {
    for (const name of store.namesOf(part)) yield* store.listed(name).flatMap(recordEntry);
  }
  return pageOf([{ open: '[', close: ']', size: store.size, items }], from);
}

/** Other types are not in this list. */
function recordEntry(record: ResourceRecord): readonly string[] {
  const host = hostOf(record);
  return host === undefined ? [] : [JSON.stringify({ name: record.name, host, rtype: record.type })];
}

function hostOf(record: ResourceRecord): string | undefined {
  if (record.type === 'SRV') return `${record.target}:${record.port}`;
  return record.type === 'A' || record.type === 'AAAA' ? record.address : undefined;
}

/** What the Directory says of machines is always of now: `force` has nothing to wait for. */
function nodes(zone: Zone, at: number): readonly object[] {
  const { thisNode, publicAddresses } = zone.options;
  return zone.agents.map(({ address, hostname }) => ({
    private_ip: address,
    public_ips: address === thisNode ? publicAddresses : [],
    hostname,
    updated: new Date(at).toISOString(),
  }));
}

/** One entry for each VIP, by the name that DC/OS gives it; one without names by its address. */
function vips(zone: Zone): readonly object[] {
  return [...zone.vips].map((vip) => ({
    vip: `${vipName(zone, vip)}:${vip.port}`,
    protocol: vip.protocol,
    backend: vipBackends({ byApp: endpointsBehind(zone, vip) }, vip.services)
      .filter(({ weight }) => weight > 0)
      .map(({ address, port }) => ({ ip: address, port })),
  }));
}

function vipName(zone: Zone, { names, address }: Vip): string {
  const dcos = names.find((name) => name.endsWith(`.l4lb.${zone.options.dcosDomain}`)) ?? names[0];
  if (dcos !== undefined) return dcos;
  return address.includes(':') ? `[${address}]` : address;
}

function endpointsBehind(zone: Zone, { services }: Vip): ReadonlyMap<AppId, readonly Endpoint[]> {
  return new Map(services.map(({ appId }) => [appId, zone.endpointsOf(appId)]));
}
