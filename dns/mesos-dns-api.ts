import { discoveryName } from '../core/model/ids.ts';
import { type HttpReply, notFound, notImplemented, ok, pathParts } from './http-reply.ts';
import type { ZoneOptions } from './options.ts';
import type { ResourceRecord, SrvRecord } from './wire/types.ts';
import type { Zone } from './zone.ts';

const service = { Service: 'Mesos-DNS', URL: 'https://github.com/mesosphere/mesos-dns', Version: 'v0.8.0' };

/** The Mesos-DNS HTTP API (dns.md §7): the reply to GET of a path. */
export function mesosReply(zone: Zone, path: string): HttpReply {
  const parts = pathParts(path);
  if (parts?.[0] !== 'v1') return notFound;
  const [, kind, name, more] = parts;
  if (parts.length === 2) return wholeReply(zone, kind);
  if (kind === 'hosts' && name !== undefined && parts.length === 3) return hosts(zone, name);
  if (kind === 'hosts' && more === 'ports' && parts.length === 4) return notImplemented;
  if (kind === 'services' && name !== undefined && parts.length === 3) return services(zone, name);
  return notFound;
}

function wholeReply(zone: Zone, kind: string | undefined): HttpReply {
  switch (kind) {
    case 'version':
      return ok(service);
    case 'config':
      return ok(config(zone.options));
    case 'enumerate':
      return zone.options.enumeration ? ok(enumerate(zone)) : notFound;
    case 'axfr':
      return zone.options.enumeration ? ok(axfr(zone)) : notFound;
    default:
      return notFound;
  }
}

/** A client that reads the first element blindly finds one: unknown names give empty strings, as Mesos-DNS does. */
function hosts(zone: Zone, text: string): HttpReply {
  const found = [...recordsOf(zone, text, 'A'), ...recordsOf(zone, text, 'AAAA')];
  const list = found.map((record) => ({ host: `${record.name}.`, ip: recordText(record) }));
  return ok(list.length > 0 ? list : [{ host: '', ip: '' }]);
}

function services(zone: Zone, text: string): HttpReply {
  const list = recordsOf(zone, text, 'SRV').flatMap((record) =>
    record.type === 'SRV' ? serviceEntry(zone, record) : [],
  );
  return ok(list.length > 0 ? list : [{ service: '', host: '', ip: '', port: '' }]);
}

function serviceEntry(zone: Zone, record: SrvRecord): object {
  const [address] = [...recordsOf(zone, record.target, 'A'), ...recordsOf(zone, record.target, 'AAAA')];
  const ip = address === undefined ? '' : recordText(address);
  return { service: `${record.name}.`, host: `${record.target}.`, ip, port: String(record.port) };
}

function recordsOf(zone: Zone, text: string, type: 'A' | 'AAAA' | 'SRV'): readonly ResourceRecord[] {
  const name = text.toLowerCase().replaceAll('.*', '').replace(/\.$/, '');
  return zone.store.set(name, type)?.records ?? [];
}

function enumerate(zone: Zone): object {
  const tasks = zone.endpoints
    .filter((endpoint) => endpoint.ready)
    .map((endpoint) => ({
      name: discoveryName(endpoint.appId),
      id: endpoint.taskId,
      records: zone
        .recordsOf(endpoint)
        .filter((record) => isMesos(zone, record))
        .map((record) => ({ name: `${record.name}.`, host: recordText(record), rtype: record.type })),
    }));
  return { frameworks: tasks.length === 0 ? [] : [{ name: zone.options.framework, tasks }] };
}

function axfr(zone: Zone): object {
  const domain = zone.options.mesosDomain;
  const records = { A: grouped(), AAAA: grouped(), SRV: grouped() };
  for (const record of zone.store.all()) {
    if (!isMesos(zone, record)) continue;
    if (record.type !== 'A' && record.type !== 'AAAA' && record.type !== 'SRV') continue;
    const group = records[record.type];
    const name = `${record.name}.`;
    group[name] ??= [];
    group[name].push(recordText(record));
  }
  const soa = zone.soaOf(domain, 'answer');
  return {
    TTL: soa.ttl,
    Serial: soa.serial,
    RefreshSeconds: soa.refresh,
    Mname: `${soa.mname}.`,
    Rname: `${soa.rname}.`,
    Domain: domain,
    Records: { As: records.A, AAAAs: records.AAAA, SRVs: records.SRV },
  };
}

/** Names come from apps: `__proto__` must be a key like any other. */
function grouped(): Record<string, string[]> {
  return Object.create(null);
}

function isMesos(zone: Zone, record: ResourceRecord): boolean {
  return record.name.endsWith(`.${zone.options.mesosDomain}`);
}

function recordText(record: ResourceRecord): string {
  if (record.type === 'SRV') return `${record.target}.:${record.port}`;
  return 'address' in record ? record.address : '';
}

/** The keys of Mesos-DNS; what has no meaning here (polling, ZooKeeper) has the value that says so. */
function config(options: ZoneOptions): object {
  return {
    RefreshSeconds: 60,
    TTL: options.ttl,
    Domain: options.mesosDomain,
    Port: 53,
    Timeout: 5,
    StateTimeoutSeconds: 300,
    ZkDetectionTimeout: 30,
    Zk: '',
    Masters: [],
    ZoneResolvers: {},
    Resolvers: [],
    Listener: options.nameserver[0] ?? '',
    HTTPListener: options.nameserver[0] ?? '',
    HttpPort: 8123,
    DnsOn: true,
    HttpOn: true,
    ExternalOn: false,
    RecurseOn: false,
    SetTruncateBit: true,
    EnforceRFC952: options.enforceRfc952,
    EnumerationOn: options.enumeration,
    SRVRecordDefaultWeight: options.srvWeight,
    SOAMname: `ns1.${options.mesosDomain}.`,
    SOARname: `root.ns1.${options.mesosDomain}.`,
    SOASerial: 0,
    SOARefresh: 60,
    SOARetry: 600,
    SOAExpire: 86_400,
    SOAMinttl: options.negativeTtl,
    IPSources: options.ipSources,
    ...options.told,
  };
}
