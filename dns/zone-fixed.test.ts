import t from 'tap';
import { defaultZoneOptions, type ZoneOptions } from './options.ts';
import { plainRecord } from './plain-reply.ts';
import { askUdp } from './testing/client.ts';
import { agent, containerEndpoint, port, snapshot } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';
import { RCODE, rcodeOf } from './wire/types.ts';
import { Zone } from './zone.ts';

/** Names of machines, of DC/OS's small zones, and by configuration (dns.md §2.2, §3.5, §9). */
function zoneOf(parts: Parameters<typeof snapshot>[1], options: Partial<ZoneOptions> = {}): Zone {
  const zone = new Zone({ ...defaultZoneOptions, ...options });
  zone.apply(snapshot(1, parts));
  return zone;
}

function data(zone: Zone, name: string, type: string): readonly string[] {
  const records = zone.store.sets(name).flatMap((set) => set.records.map(plainRecord));
  return records.filter((record) => record.type === type).map((record) => record.data);
}

const masters = ['1', '2', '3'].map((n) => agent(`m-S${n}`, `100.64.255.${n}`, true));

t.test('an agent has a name, and its address leads back to it', async (t) => {
  const zone = zoneOf({ agents: [{ ...agent('x-S1', '100.64.255.1'), hostname: 'H1.Example' }] });
  t.same(data(zone, 'h1-example.agents.weir', 'A'), ['100.64.255.1']);
  t.same(data(zone, '1.255.64.100.in-addr.arpa', 'PTR'), ['h1-example.agents.weir']);
});

t.test('the leader is the master that leads, where the Directory says which', async (t) => {
  const zone = zoneOf({ agents: [masters[0]!, { ...masters[1]!, leader: true }, masters[2]!] });
  t.same(data(zone, 'leader.mesos', 'A'), ['100.64.255.2']);
  t.same(data(zone, 'leader.dcos.thisdcos.directory', 'A'), ['100.64.255.2']);
  t.same(data(zone, 'marathon.mesos', 'A'), ['100.64.255.2']);
  t.equal(data(zone, 'master.mesos', 'A').length, 3);
});

t.test('of five ZooKeeper names each has one address, those of the masters in turn', async (t) => {
  const of = (zone: Zone) => [1, 2, 3, 4, 5].map((n) => data(zone, `zk-${n}.zk`, 'A').join());
  const [a, b, c] = masters.map(({ address }) => address);
  t.same(of(zoneOf({ agents: masters })), [a, b, c, a, b]);
  const configured = zoneOf({ agents: masters }, { zookeeper: ['100.64.9.1', '100.64.9.2'] });
  t.same(of(configured).join(), '100.64.9.1,100.64.9.2,100.64.9.1,100.64.9.2,100.64.9.1');
  t.same(data(zoneOf({}), 'zk-1.zk', 'A'), []);
});

t.test('a zone of DC/OS has the name server and SOA of DC/OS', async (t) => {
  const { at } = await runResolver(t, { directory: snapshot(7, { agents: masters }) });
  const zones = ['thisdcos.directory', 'dcos.thisdcos.directory', 'l4lb.thisdcos.directory', 'zk', 'spartan'];
  for (const zone of zones) {
    const soa = {
      type: 'SOA',
      ttl: 5,
      mname: 'ns.spartan',
      rname: 'support.mesosphere.com',
      serial: 1,
      refresh: 60,
      retry: 180,
      expire: 86_400,
      minimum: 1,
    };
    t.match((await askUdp(at, zone, 'SOA')).answers, [{ ...soa, name: zone }]);
    const servers = { type: 'NS', target: 'ns.spartan', ttl: 3_600 };
    t.match((await askUdp(at, zone, 'NS')).answers, [servers], zone);
  }
  t.match((await askUdp(at, 'ns.spartan', 'A')).answers, [{ address: '127.0.0.1' }]);
});

t.test('a SOA by configuration is that of our zones, not of those of DC/OS', async (t) => {
  const soa = {
    mname: 'ns.weir',
    rname: 'names.example.org',
    refresh: 120,
    retry: 60,
    expire: 3_600,
    minimum: 3,
  };
  const zone = new Zone({ ...defaultZoneOptions, soa });
  zone.apply(snapshot(7, {}));
  for (const apex of ['mesos', 'weir']) {
    t.match(zone.soaOf(apex, 'answer'), { ...soa, ttl: 5, serial: 7 });
    t.match(zone.soaOf(apex, 'negative'), { ttl: 3, minimum: 3 });
    t.match(zone.store.set(apex, 'NS')?.records, [{ target: 'ns.weir' }]);
  }
  t.match(zone.store.set('ns.weir', 'A')?.records, [{ address: '127.0.0.1' }]);
  t.match(zone.soaOf('zk', 'negative'), { mname: 'ns.spartan', ttl: 1, minimum: 1 });
  const elsewhere = new Zone({ ...defaultZoneOptions, soa: { mname: 'ns.example.org' } });
  t.equal(elsewhere.store.set('ns.example.org', 'A'), undefined, 'its addresses are told by others');
});

t.test('ready.spartan is there as soon as there is a Directory', async (t) => {
  const zone = new Zone(defaultZoneOptions);
  t.same(data(zone, 'ready.spartan', 'A'), []);
  zone.apply(snapshot(1, {}));
  t.same(data(zone, 'ready.spartan', 'A'), ['127.0.0.1']);
  t.match(zone.store.set('ready.spartan', 'A')?.records, [{ ttl: 5 }]);
});

t.test('this node has its private and its public addresses', async (t) => {
  const zone = zoneOf({}, { thisNode: '100.64.255.7', publicAddresses: ['203.0.113.7', '203.0.113.8'] });
  t.same(data(zone, 'thisnode.thisdcos.directory', 'A'), ['100.64.255.7']);
  t.same(data(zone, 'public.thisnode.thisdcos.directory', 'A'), ['203.0.113.7', '203.0.113.8']);
});

t.test('a copy of a Mesos-DNS service in the DC/OS zones has priority and weight 1', async (t) => {
  const directory = snapshot(1, { endpoints: [containerEndpoint('/web', 'a')] });
  const { at } = await runResolver(t, { directory });
  const copy = await askUdp(at, '_web._tcp.marathon.mesos.thisdcos.directory', 'SRV');
  t.match(copy.answers, [{ type: 'SRV', priority: 1, weight: 1, port: 80 }]);
  const own = await askUdp(at, '_web._tcp.marathon.mesos', 'SRV');
  t.match(own.answers, [{ type: 'SRV', priority: 0, weight: 1 }]);
});

t.test('in RFC 952 mode the labels of Mesos-DNS are short and begin with a letter', async (t) => {
  const id = '/4chronos with a space AND MIXED CASE-2.0.1';
  const ports = [port({ name: '8080-of-the-administration-console', address: '100.64.1.2', port: 80 })];
  const endpoint = containerEndpoint('/x', 'a', { appId: id, ports });
  const options = { enforceRfc952: true, framework: 'some-box.89marathon', srvWeight: 7 };
  const zone = zoneOf({ endpoints: [endpoint] }, options);
  t.same(data(zone, 'chronoswithaspaceandmixe.some-box.marathon.mesos', 'A'), ['100.64.1.2']);
  const service = '_of-the-administration-co._chronoswithaspaceandmixe._tcp.some-box.marathon.mesos';
  t.match(
    data(zone, service, 'SRV')[0],
    /^0 7 80 chronoswithaspaceandmixe-\w{5}-s1\.some-box\.marathon\.mesos$/,
  );
});

const records: ZoneOptions['records'] = [
  { name: 'db.weir', type: 'A', address: '100.64.8.1', ttl: 30 },
  { name: 'www.weir', type: 'CNAME', target: 'db.weir' },
  { name: 'ring.weir', type: 'CNAME', target: 'ring2.weir' },
  { name: 'ring2.weir', type: 'CNAME', target: 'ring.weir' },
  { name: '_ldap._tcp.weir', type: 'SRV', priority: 5, weight: 6, port: 389, target: 'db.weir' },
  { name: 'note.weir', type: 'TXT', text: 'n'.repeat(300) },
  { name: 'host.example.org', type: 'AAAA', address: 'fd00::8' },
];

t.test('records by configuration are answered beside those of apps', async (t) => {
  const { at } = await runResolver(t, { directory: snapshot(1, {}), zone: { records } });
  t.match((await askUdp(at, 'db.weir', 'A')).answers, [{ address: '100.64.8.1', ttl: 30 }]);
  const service = await askUdp(at, '_ldap._tcp.weir', 'SRV');
  t.match(service.answers, [{ priority: 5, weight: 6, port: 389, target: 'db.weir', ttl: 5 }]);
  t.match(service.additionals, [{ address: '100.64.8.1' }]);
  const [note] = (await askUdp(at, 'note.weir', 'TXT')).answers;
  const lengths = note?.type === 'TXT' ? note.strings.map((part) => part.length) : [];
  t.same(lengths, [255, 45]);
  t.match((await askUdp(at, 'host.example.org', 'AAAA')).answers, [{ address: 'fd00::8' }]);
});

t.test('an alias by configuration brings what it leads to, and a ring of them ends', async (t) => {
  const { at } = await runResolver(t, { directory: snapshot(1, {}), zone: { records } });
  for (const _ of [1, 2]) {
    t.match((await askUdp(at, 'www.weir', 'A')).answers, [
      { type: 'CNAME', target: 'db.weir' },
      { type: 'A', name: 'db.weir', address: '100.64.8.1' },
    ]);
  }
  t.match((await askUdp(at, 'www.weir', 'CNAME')).answers, [{ type: 'CNAME' }]);
  t.equal((await askUdp(at, 'www.weir', 'CNAME')).answers.length, 1);
  t.equal(rcodeOf(await askUdp(at, 'ring.weir', 'A')), RCODE.SERVFAIL);
});
