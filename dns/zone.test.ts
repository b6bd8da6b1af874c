import t from 'tap';
import { defaultZoneOptions, type ZoneOptions } from './options.ts';
import { plainRecord } from './plain-reply.ts';
import { agent, containerEndpoint, hostEndpoint, port, snapshot, vip } from './testing/directory.ts';
import { allRecords } from './testing/records.ts';
import { Zone } from './zone.ts';

type Parts = Parameters<typeof snapshot>[1];

function zoneOf(parts: Parts, options: Partial<ZoneOptions> = {}): Zone {
  const zone = new Zone({ ...defaultZoneOptions, ...options });
  zone.apply(snapshot(1, parts));
  return zone;
}

/** The data of all records of a name, of one type, sorted. */
function data(zone: Zone, name: string, type: string): readonly string[] {
  return zone.store
    .sets(name)
    .flatMap((set) => set.records.map(plainRecord))
    .filter((record) => record.type === type)
    .map((record) => record.data)
    .sort();
}

t.test('a container task has Mesos-DNS names at its own address', async (t) => {
  const zone = zoneOf({ endpoints: [containerEndpoint('/shop/web', 'a')] });
  const [target] = data(zone, '_web-shop._tcp.marathon.mesos', 'SRV');
  const canonical = target?.split(' ').at(-1) ?? '';
  t.match(canonical, /^web-shop-[ybndrfg8ejkmcpqxot1uwisza345h769]{5}-s1\.marathon\.mesos$/);
  t.same(data(zone, 'web-shop.marathon.mesos', 'A'), ['100.64.1.2']);
  t.same(data(zone, 'web.shop.marathon.mesos', 'A'), ['100.64.1.2'], 'the form with dots too');
  t.same(data(zone, canonical, 'A'), ['100.64.1.2']);
  t.same(data(zone, 'web-shop.marathon.slave.mesos', 'A'), ['100.64.255.1']);
  t.same(data(zone, canonical.replace('.mesos', '.slave.mesos'), 'A'), ['100.64.255.1']);
  t.same(data(zone, '_http._web-shop._tcp.marathon.mesos', 'SRV'), [`0 1 80 ${canonical}`]);
  t.same(data(zone, '_http._web.shop._tcp.marathon.mesos', 'SRV').length, 1);
  t.same(data(zone, '_web-shop._udp.marathon.mesos', 'SRV'), [], 'its port is tcp only');
  t.same(data(zone, '_web-shop._tcp.marathon.slave.mesos', 'SRV'), [], 'it has no host port');
});

t.test('a host-mode task has Mesos-DNS names at its agent and host port', async (t) => {
  const zone = zoneOf({ endpoints: [hostEndpoint('/web', 'a', 31_000)] });
  t.same(data(zone, 'web.marathon.mesos', 'A'), ['100.64.255.1']);
  t.match(data(zone, '_web._tcp.marathon.mesos', 'SRV')[0], /^0 1 31000 web-\w{5}-s1\.marathon\.mesos$/);
  for (const protocol of ['tcp', 'udp']) {
    const [slave] = data(zone, `_web._${protocol}.marathon.slave.mesos`, 'SRV');
    t.match(slave, /^0 1 31000 web-\w{5}-s1\.marathon\.slave\.mesos$/, protocol);
  }
});

t.test('a mapped host port of a container leads to the agent, not to the container', async (t) => {
  const mapped = port({
    address: '100.64.255.1',
    port: 31_001,
    hostPort: 31_001,
    containerPort: 80,
    scope: 'host',
  });
  const zone = zoneOf({ endpoints: [containerEndpoint('/web', 'a', { ports: [mapped] })] });
  const [record] = data(zone, '_web._tcp.marathon.mesos', 'SRV');
  t.match(record, /^0 1 31001 web-\w{5}-s1\.marathon\.slave\.mesos$/);
  t.same(data(zone, record?.split(' ').at(-1) ?? '', 'A'), ['100.64.255.1']);
});

t.test('where agents are published, a service still leads to where its port is', async (t) => {
  const ip = '100.64.1.2';
  const mapped = port({ name: 'in', address: ip, port: 80, hostPort: 31_001, containerPort: 80 });
  const inner = port({ index: 1, name: 'only', address: ip, port: 81, containerPort: 81 });
  const zone = zoneOf(
    { endpoints: [containerEndpoint('/web', 'a', { ports: [mapped, inner] })] },
    { ipSources: ['host', 'netinfo'] },
  );
  const reached = (name: string) => {
    const [, , number, target = ''] = (data(zone, name, 'SRV')[0] ?? '').split(' ');
    return `${data(zone, target, 'A').join()}:${number}`;
  };
  t.equal(reached('_in._web._tcp.marathon.mesos'), '100.64.255.1:31001');
  t.equal(reached('_only._web._tcp.marathon.mesos'), '100.64.1.2:81');
});

t.test('a port of both protocols is published under both', async (t) => {
  const both = port({ address: '100.64.1.2', port: 53, protocols: ['udp', 'tcp'] });
  const zone = zoneOf({ endpoints: [containerEndpoint('/ns', 'a', { ports: [both] })] });
  t.equal(data(zone, '_ns._tcp.marathon.mesos', 'SRV').length, 1);
  t.equal(data(zone, '_ns._udp.marathon.mesos', 'SRV').length, 1);
});

t.test('an endpoint that is not ready has no record of any kind', async (t) => {
  const endpoint = containerEndpoint('/web', 'a', { ready: false });
  const [with_, without] = [zoneOf({ endpoints: [endpoint] }), zoneOf({})];
  t.equal(with_.store.size, without.store.size);
});

t.test('an IPv6 address makes AAAA records and a PTR by nibbles', async (t) => {
  const addresses = [{ network: 'six', ip: 'fd01:b::1:8000:2' }];
  const zone = zoneOf({ endpoints: [containerEndpoint('/toy-store', 'a', { addresses })] });
  t.same(data(zone, 'toy-store.marathon.mesos', 'AAAA'), ['fd01:b::1:8000:2']);
  t.same(data(zone, 'toy-store.marathon.mesos', 'A'), []);
  const reverse = '2.0.0.0.0.0.0.8.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.b.0.0.0.1.0.d.f.ip6.arpa';
  t.same(data(zone, reverse, 'PTR'), ['instance-a.toy-store.weir']);
});

t.test('the host source first publishes agents only', async (t) => {
  const zone = zoneOf({ endpoints: [containerEndpoint('/web', 'a')] }, { ipSources: ['host', 'netinfo'] });
  t.same(data(zone, 'web.marathon.mesos', 'A'), ['100.64.255.1']);
});

t.test('what is no address is left out instead of breaking the answer', async (t) => {
  const zone = zoneOf({ agents: [agent('a-S1', 'not-an-address'), agent('a-S2', '100.64.255.2')] });
  t.same(data(zone, 'slave.mesos', 'A'), ['100.64.255.2']);
});

t.test('a name too long for the wire is left out, the others stay', async (t) => {
  const deep = `/${Array.from({ length: 20 }, (_, i) => `segment-number-${i}`).join('/')}`;
  const zone = zoneOf({ endpoints: [containerEndpoint(deep, 'a')] });
  t.ok(allRecords(zone).every((record) => record.name.length <= 253));
  t.ok(allRecords(zone).some((record) => record.type === 'A' && record.name.includes('containerip')));
});

t.test('a VIP answers for each of its names, with no backend at all', async (t) => {
  const names = ['web.shop.weir', 'shopweb.marathon.l4lb.thisdcos.directory'];
  const zone = zoneOf({ vips: [vip('/shop/web', names)] });
  for (const name of names) t.same(data(zone, name, 'A'), ['100.127.0.9'], name);
  t.same(data(zone, '9.0.127.100.in-addr.arpa', 'PTR'), ['web.shop.weir']);
});

t.test('a named port of an app is a service at its VIP, however many instances there are', async (t) => {
  const endpoints = ['a', 'b'].map((uuid) => containerEndpoint('/shop/web', uuid));
  const zone = zoneOf({ endpoints, vips: [vip('/shop/web', ['web.shop.weir'])] });
  t.same(data(zone, '_http._tcp.web.shop.weir', 'SRV'), ['0 1 80 web.shop.weir']);
  t.same(data(zone, '_http._udp.web.shop.weir', 'SRV'), []);
});

t.test('an instance has a name below its app, and back', async (t) => {
  const zone = zoneOf({ endpoints: [containerEndpoint('/shop/web', 'abc')] });
  t.same(data(zone, 'instance-abc.web.shop.weir', 'A'), ['100.64.1.2']);
  t.same(data(zone, '2.1.64.100.in-addr.arpa', 'PTR'), ['instance-abc.web.shop.weir']);
});

t.test('DC/OS names tell agent, container and reachable addresses apart', async (t) => {
  const mapped = port({ address: '100.64.1.2', port: 80, hostPort: 31_001, containerPort: 80 });
  const zone = zoneOf({
    endpoints: [
      containerEndpoint('/own', 'a'),
      containerEndpoint('/mapped', 'b', { ports: [mapped] }),
      hostEndpoint('/host', 'c', 31_000),
    ],
  });
  const of = (app: string, kind: string) =>
    data(zone, `${app}.marathon.${kind}.dcos.thisdcos.directory`, 'A').join();
  const table = ['own', 'mapped', 'host'].map((app) =>
    [app, ...['agentip', 'containerip', 'autoip'].map((kind) => of(app, kind))].join(' | '),
  );
  t.same(table, [
    'own | 100.64.255.1 | 100.64.1.2 | 100.64.1.2',
    'mapped | 100.64.255.1 | 100.64.1.2 | 100.64.255.1',
    'host | 100.64.255.1 |  | 100.64.255.1',
  ]);
});

t.test('agents and masters have the names of Mesos-DNS', async (t) => {
  const agents = [
    agent('b-S2', '100.64.255.2', true),
    agent('a-S1', '100.64.255.1', true),
    agent('c-S3', '100.64.255.3'),
  ];
  const ports = { master: 5050, framework: 8080, agent: 5051 };
  const zone = zoneOf({ agents }, { ports, srvWeight: 7 });
  t.same(data(zone, 'slave.mesos', 'A'), ['100.64.255.1', '100.64.255.2', '100.64.255.3']);
  t.same(data(zone, 'master.mesos', 'A'), ['100.64.255.1', '100.64.255.2']);
  t.same(data(zone, 'master0.mesos', 'A'), ['100.64.255.1'], 'in order of id');
  t.same(data(zone, 'master1.mesos', 'A'), ['100.64.255.2']);
  t.same(data(zone, 'master2.mesos', 'A'), []);
  t.same(data(zone, '_leader._tcp.mesos', 'SRV'), ['0 7 5050 leader.mesos']);
  t.same(data(zone, '_leader._udp.mesos', 'SRV'), ['0 7 5050 leader.mesos']);
  t.same(data(zone, '_slave._tcp.mesos', 'SRV'), ['0 7 5051 slave.mesos']);
  t.same(data(zone, '_framework._tcp.marathon.mesos', 'SRV'), ['0 7 8080 marathon.mesos']);
  t.same(data(zone, 'master.dcos.thisdcos.directory', 'A'), ['100.64.255.1', '100.64.255.2']);
});

t.test('a task that comes and goes leaves nothing behind', async (t) => {
  const zone = zoneOf({});
  const before = zone.store.size;
  const endpoint = containerEndpoint('/deep/down/web', 'a');
  zone.apply({ from: 1, revision: 2, endpoints: { set: [endpoint], gone: [] } });
  t.ok(zone.store.size > before);
  zone.apply({ from: 2, revision: 3, endpoints: { set: [], gone: [endpoint.instanceId] } });
  t.equal(zone.store.size, before);
});

t.test('two tasks with one name share it, and the other keeps it when one leaves', async (t) => {
  const zone = zoneOf({ endpoints: [containerEndpoint('/a/b-c', '1'), containerEndpoint('/c/a-b', '2')] });
  t.same(data(zone, 'b-c-a.marathon.mesos', 'A'), ['100.64.1.2']);
  const second = containerEndpoint('/c-a/b', '3', { addresses: [{ network: 'weir', ip: '100.64.1.3' }] });
  zone.apply({ from: 1, revision: 2, endpoints: { set: [second], gone: [] } });
  t.same(data(zone, 'b-c-a.marathon.mesos', 'A'), ['100.64.1.2', '100.64.1.3']);
  zone.apply({ from: 2, revision: 3, endpoints: { set: [], gone: ['a_b-c.instance-1'] } });
  t.same(data(zone, 'b-c-a.marathon.mesos', 'A'), ['100.64.1.3']);
});

/** dns.md §3.6, as far as it applies: RFC 1123 labels, every task with discovery information. */
t.test('the liquor store of Mesos-DNS has its records', async (t) => {
  const store = (uuid: string, ip: string) =>
    containerEndpoint('/liquor-store', uuid, {
      addresses: [{ network: 'weir', ip }],
      ports: [
        port({ name: 'http', address: ip, port: 80 }),
        port({ index: 1, name: 'https', address: ip, port: 443 }),
      ],
    });
  const zone = zoneOf({ endpoints: [store('a', '100.64.3.1'), store('b', '100.64.3.2')] });
  t.same(data(zone, 'liquor-store.marathon.mesos', 'A'), ['100.64.3.1', '100.64.3.2']);
  const ports = (name: string) => data(zone, name, 'SRV').map((text) => text.split(' ')[2]);
  t.same(ports('_liquor-store._tcp.marathon.mesos').sort(), ['443', '443', '80', '80']);
  t.same(ports('_https._liquor-store._tcp.marathon.mesos'), ['443', '443']);
  t.same(ports('_liquor-store._udp.marathon.mesos'), [], 'discovery ports are tcp');
  const targets = data(zone, '_http._liquor-store._tcp.marathon.mesos', 'SRV').map(
    (text) => text.split(' ')[3]!,
  );
  t.same(targets.flatMap((target) => data(zone, target, 'A')).sort(), ['100.64.3.1', '100.64.3.2']);
});

t.test('the name server and this machine have their addresses', async (t) => {
  const zone = zoneOf({}, { nameserver: ['127.0.0.9'], thisNode: '100.64.255.7' });
  t.same(data(zone, 'ns1.mesos', 'A'), ['127.0.0.9']);
  t.same(data(zone, 'thisnode.thisdcos.directory', 'A'), ['100.64.255.7']);
  for (const apex of ['mesos', 'weir', '64.100.in-addr.arpa', '127.100.in-addr.arpa']) {
    t.same(data(zone, apex, 'NS'), ['ns1.mesos'], apex);
  }
});

t.test('a snapshot replaces everything, and leaves alone what it does not change', async (t) => {
  const changed: string[] = [];
  const zone = new Zone(defaultZoneOptions, (name) => changed.push(name));
  zone.apply(snapshot(1, { endpoints: [containerEndpoint('/web', 'a'), containerEndpoint('/old', 'b')] }));
  changed.length = 0;
  zone.apply(snapshot(9, { endpoints: [containerEndpoint('/web', 'a'), containerEndpoint('/new', 'c')] }));
  t.equal(zone.revision, 9);
  t.same(data(zone, 'old.marathon.mesos', 'A'), []);
  t.same(data(zone, 'new.marathon.mesos', 'A'), ['100.64.1.2']);
  t.same(data(zone, 'web.marathon.mesos', 'A'), ['100.64.1.2']);
  t.ok(changed.includes('new.marathon.mesos') && changed.includes('old.marathon.mesos'));
  t.notOk(changed.includes('web.marathon.mesos'));
});

t.test('while a change is made, a name that stays is never without records', async (t) => {
  const at = (ip: string) => ({ addresses: [{ network: 'weir', ip }] });
  const before = containerEndpoint('/web', 'a', at('100.64.1.1'));
  const zone = zoneOf({ endpoints: [before] });
  const gone = [before.instanceId];
  const set = [containerEndpoint('/web', 'b', at('100.64.1.2'))];
  const seen = new Set<string>();
  for (const _ of zone.steps({ from: 1, revision: 2, endpoints: { set, gone } })) {
    seen.add(data(zone, 'web.marathon.mesos', 'A').join());
  }
  t.same([...seen], ['100.64.1.1,100.64.1.2', '100.64.1.2']);
  t.equal(zone.revision, 2);
});
