import { discoveryName } from '../core/model/ids.ts';
import { pageOf } from './http-list.ts';
import { type HttpReply, notFound, notImplemented, ok, pathParts } from './http-reply.ts';
import type { PathAndPage } from './protocol.ts';
import type { Name, ResourceRecord, SrvRecord } from './wire/types.ts';
import type { Zone } from './zone.ts';

/** About so many names are one task's. */
const namesOfTask = 20;
const service = { Service: 'Mesos-DNS', URL: 'https://github.com/mesosphere/mesos-dns', Version: 'v0.8.0' };

/** The Mesos-DNS HTTP API (dns.md §7): the reply to GET of a path. */
export function mesosReply(zone: Zone, { path, from = 0 }: PathAndPage): HttpReply {
  const parts = pathParts(path);
  if (parts?.[0] !== 'v1') return notFound;
  const [, kind, name, more] = parts;
  if (parts.length === 2) return wholeReply(zone, kind, from);
  if (kind === 'hosts' && name !== undefined && parts.length === 3) return hosts(zone, name);
  if (kind === 'hosts' && more === 'ports' && parts.length === 4) return notImplemented;
  if (kind === 'services' && name !== undefined && parts.length === 3) return services(zone, name);
  return notFound;
}

function wholeReply(zone: Zone, kind: string | undefined, from: number): HttpReply {
  switch (kind) {
    case 'version':
      return ok(service);
    case 'config':
      return ok(config(zone));
    case 'enumerate':
      return zone.options.enumeration ? enumerate(zone, from) : notFound;
    case 'axfr':
      return zone.options.enumeration ? axfr(zone, from) : notFound;
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
    record.type === 'SRV' ? serviceEntries(zone, record) : [],
  );
  return ok(list.length > 0 ? list : [{ service: '', host: '', ip: '', port: '' }]);
}

/** One for each family of address the target has. */
function serviceEntries(zone: Zone, record: SrvRecord): readonly object[] {
  const firsts = (['A', 'AAAA'] as const).flatMap((type) => recordsOf(zone, record.target, type).slice(0, 1));
  const ips = firsts.length === 0 ? [''] : firsts.map(recordText);
  const [service, host, port] = [`${record.name}.`, `${record.target}.`, String(record.port)];
  return ips.map((ip) => ({ service, host, ip, port }));
}

function recordsOf(zone: Zone, text: string, type: 'A' | 'AAAA' | 'SRV'): readonly ResourceRecord[] {
  const name = text.toLowerCase().replaceAll('.*', '').replace(/\.$/, '');
  return zone.store.set(name, type)?.records ?? [];
}

/** The one framework there is, with the records of each task that has any. */
function enumerate(zone: Zone, from: number): HttpReply {
  function* items(part: number): Iterable<string> {
    for (const { endpoint, records } of zone.listed(part)) {
      const ours = records.filter(({ name }) => isMesos(zone, name));
      yield JSON.stringify({
        name: discoveryName(endpoint.appId),
        id: endpoint.taskId,
        records: ours.map((record) => ({
          name: `${record.name}.`,
          host: recordText(record),
          rtype: record.type,
        })),
      });
    }
  }
  const open = `{"frameworks":[{"name":${JSON.stringify(zone.options.framework)},"tasks":[`;
  return pageOf([{ open, close: ']}]}', size: namesOfTask * zone.endpointCount, items }], from);
}

function axfr(zone: Zone, from: number): HttpReply {
  const domain = zone.options.mesosDomain;
  const soa = zone.soaOf(domain, 'answer');
  const head = {
    TTL: soa.ttl,
    Serial: soa.serial,
    RefreshSeconds: soa.refresh,
    Mname: `${soa.mname}.`,
    Rname: `${soa.rname}.`,
    Domain: domain,
  };
  const open = `${JSON.stringify(head).slice(0, -1)},"Records":{"As":{`;
  const sections = [
    { ...recordsByName(zone, 'A'), open, close: '},' },
    { ...recordsByName(zone, 'AAAA'), open: '"AAAAs":{', close: '},' },
    { ...recordsByName(zone, 'SRV'), open: '"SRVs":{', close: '}}}' },
  ];
  return pageOf(sections, from);
}

/** `"name.":["1.2.3.4"]` for each name of Mesos-DNS that has records of a type. */
function recordsByName(zone: Zone, type: 'A' | 'AAAA' | 'SRV') {
  const { store } = zone;
  function* items(part: number): Iterable<string> {
    for (const name of store.namesOf(part)) {
      if (!isMesos(zone, name)) continue;
      const texts = store.listed(name).flatMap((record) => (record.type === type ? recordText(record) : []));
      if (texts.length > 0) yield `${JSON.stringify(`${name}.`)}:${JSON.stringify(texts)}`;
    }
  }
  return { size: store.size, items };
}

function isMesos({ options }: Zone, name: Name): boolean {
  return name.endsWith(`.${options.mesosDomain}`);
}

function recordText(record: ResourceRecord): string {
  if (record.type === 'SRV') return `${record.target}.:${record.port}`;
  return 'address' in record ? record.address : '';
}

/** The keys of Mesos-DNS; what has no meaning here (polling, ZooKeeper) has the value that says so. */
function config(zone: Zone): object {
  const { options } = zone;
  const soa = zone.soaOf(options.mesosDomain, 'answer');
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
    SOAMname: `${soa.mname}.`,
    SOARname: `${soa.rname}.`,
    SOASerial: soa.serial,
    SOARefresh: soa.refresh,
    SOARetry: soa.retry,
    SOAExpire: soa.expire,
    SOAMinttl: soa.minimum,
    File: '',
    MesosHTTPSOn: false,
    MesosAuthentication: '',
    CACertFile: '',
    CertFile: '',
    KeyFile: '',
    IAMConfigFile: '',
    IPSources: options.ipSources,
    ...options.told,
  };
}
