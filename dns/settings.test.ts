import t from 'tap';
import { type DnsSettings, readDnsSettings } from './settings.ts';

function settingsOf(json: unknown): DnsSettings {
  const read = readDnsSettings(json);
  if (read.kind === 'faults') throw new Error(read.faults.join('\n'));
  return read.settings;
}

t.test('a configuration of Mesos-DNS is taken as it is, in any letter case', async (t) => {
  const settings = settingsOf({
    zk: 'zk://10.0.0.1:2181/mesos',
    masters: ['10.0.0.1:5050'],
    refreshSeconds: 60,
    TTL: 30,
    Domain: 'Mesos.Example',
    port: 53,
    resolvers: ['169.254.169.254', '10.0.0.1:5353', '::1', '[::2]:54'],
    zoneResolvers: { weave: ['172.17.0.1'] },
    timeout: 5,
    enforcerfc952: true,
    ipsources: ['docker', 'netinfo', 'host'],
    srvRecordDefaultWeight: 3,
    enumerationOn: false,
    externalon: true,
  });
  const { zone, forward, ignored } = settings;
  t.same(zone, {
    mesosDomain: 'mesos.example',
    ttl: 30,
    enforceRfc952: true,
    srvWeight: 3,
    ipSources: ['netinfo', 'host'],
    enumeration: false,
  });
  const at = (address: string, port: number) => ({ address, port });
  const upstreams = [at('169.254.169.254', 53), at('10.0.0.1', 5_353), at('::1', 53), at('::2', 54)];
  t.same(forward, { upstreams, zones: { weave: [at('172.17.0.1', 53)] }, timeoutMs: 5_000 });
  t.same(ignored, ['zk', 'masters', 'refreshSeconds', 'port']);
});

t.test('the SOA of a Mesos-DNS configuration is that of our zones', async (t) => {
  const { zone, ignored } = settingsOf({
    SOAMname: 'ns.example.org',
    SOARname: 'names@example.org.',
    SOARefresh: 120,
    SOARetry: 60,
    SOAExpire: 3_600,
    SOAMinttl: 3,
  });
  const soa = { mname: 'ns.example.org', rname: 'names.example.org', refresh: 120, retry: 60, expire: 3_600 };
  t.same(zone, { soa: { ...soa, minimum: 3 } });
  t.same(ignored, []);
});

t.test('our own settings are taken', async (t) => {
  const settings = settingsOf({
    upstreamPolicy: 'race',
    cache: { entries: 5, staleSeconds: 0 },
    rateLimit: { quietBytes: 1_000 },
    identity: 'h1',
    nodeAddresses: ['169.254.53.53'],
    publicAddresses: ['203.0.113.1'],
    zookeeper: ['10.0.0.9'],
    secure: { tls: '127.0.0.1', https: '127.0.0.1:8053', certificateFile: 'c.pem', keyFile: 'k.pem' },
  });
  t.match(settings, {
    forward: { policy: 'race', cache: { entries: 5, staleSeconds: 0 } },
    server: { rateLimit: { amplification: 1.95, quietBytes: 1_000 }, identity: 'h1' },
    nodeAddresses: ['169.254.53.53'],
    zone: { publicAddresses: ['203.0.113.1'], zookeeper: ['10.0.0.9'] },
    secure: { tls: { port: 853 }, https: { port: 8_053 } },
  });
});

t.test('records are taken by name and type', async (t) => {
  const { zone } = settingsOf({
    records: {
      'DB.weir.': { A: ['100.64.8.1', '100.64.8.2'], AAAA: 'fd00::1', ttl: 60 },
      'www.weir': { CNAME: 'db.weir' },
      '_ldap._tcp.weir': { SRV: { port: 389, target: 'db.weir' }, TXT: 'hello' },
    },
  });
  t.same(zone.records, [
    { name: 'db.weir', ttl: 60, type: 'A', address: '100.64.8.1' },
    { name: 'db.weir', ttl: 60, type: 'A', address: '100.64.8.2' },
    { name: 'db.weir', ttl: 60, type: 'AAAA', address: 'fd00::1' },
    { name: 'www.weir', type: 'CNAME', target: 'db.weir' },
    { name: '_ldap._tcp.weir', type: 'SRV', priority: 0, weight: 1, port: 389, target: 'db.weir' },
    { name: '_ldap._tcp.weir', type: 'TXT', text: 'hello' },
  ]);
});

t.test('all that is wrong is said at once: where, and what was expected', async (t) => {
  const read = readDnsSettings({
    ttl: -1,
    resolvers: ['8.8.8.8', 'dns.example', '8.8.8.8:53'],
    zoneResolvers: { 'a..b': [], 'Mesos.': ['10.0.0.1'] },
    IPSources: [],
    cache: { entires: 1 },
    records: {
      'a.weir': { A: 'fd00::1' },
      'b.weir': { CNAME: 'x.weir', A: '10.0.0.1' },
      'c.weir': { SRV: {} },
    },
    colour: 'blue',
  });
  t.same(read, {
    kind: 'faults',
    faults: [
      'ttl: expected a whole number of 0 or more',
      'IPSources: expected a list that is not empty',
      'records.a.weir.A: expected an IPv4 address',
      'records.b.weir: expected a CNAME alone: it cannot stand beside other records of its name',
      'records.c.weir.SRV: expected port and target',
      'resolvers[1]: expected an IP address, with a port or without',
      'resolvers[2]: expected an address that is not in the list already',
      'zoneResolvers.a..b: expected a domain name',
      'zoneResolvers.a..b: expected a list that is not empty',
      'zoneResolvers: expected zones but mesos, which is ours',
      'cache.entires: expected no such key',
      'colour: expected no such key',
    ],
  });
  t.same(readDnsSettings([]), { kind: 'faults', faults: ['the settings: expected an object'] });
});
