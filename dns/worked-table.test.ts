import t from 'tap';
import type { EndpointPort } from '../core/model/directory.ts';
import { defaultZoneOptions } from './options.ts';
import { plainRecord } from './plain-reply.ts';
import { agent, containerEndpoint, port, snapshot } from './testing/directory.ts';
import { Zone } from './zone.ts';

/** The worked table of dns.md §3.6, as far as one framework goes: RFC 952 labels, `netinfo` before `host`. */
const agents = ['11', '12', '13'].map((n) => agent(`20160101-1-5050-1-${n}`, `1.2.3.${n}`));
const six = { ...agent('20160101-1-5050-1-6', '2001:db8::1'), hostname: 'six' };

function store(uuid: string, ip: string, on: number) {
  const ports = [
    port({ index: 0, name: 'http', address: ip, port: 80, containerPort: 80 }),
    port({ index: 1, name: 'https', address: ip, port: 443, containerPort: 443 }),
  ];
  return task('/liquor-store', uuid, { on, addresses: [ip], ports });
}

function car() {
  const both = (index: number, number: number) =>
    port({
      index,
      address: '1.2.3.11',
      port: number,
      hostPort: number,
      protocols: ['tcp', 'udp'],
      scope: 'host',
    });
  return task('/car-store', 'z', {
    on: 0,
    addresses: ['10.3.0.9'],
    ports: [both(0, 31_364), both(1, 31_365)],
  });
}

type Parts = { on: number; addresses: readonly string[]; ports: readonly EndpointPort[]; ready?: boolean };

function task(appId: string, uuid: string, { on, addresses, ports, ready = true }: Parts) {
  const { id, address } = agents[on]!;
  return containerEndpoint(appId, uuid, {
    agentId: id,
    agentAddress: address,
    addresses: addresses.map((ip) => ({ network: 'n', ip })),
    ports,
    ready,
  });
}

const zone = new Zone({
  ...defaultZoneOptions,
  enforceRfc952: true,
  ports: { framework: 25_501 },
});
zone.apply(
  snapshot(1, {
    agents: [...agents, six, agent('m', '1.2.3.1', true)].map((one) => ({ ...one })),
    endpoints: [
      store('a', '10.3.0.1', 0),
      store('b', '10.3.0.2', 1),
      car(),
      task('/toy-store', 't', { on: 2, addresses: ['fd01:b::1:8000:2'], ports: [] }),
      task('/fancy-store', 'f', { on: 2, addresses: ['10.3.0.77'], ports: [], ready: false }),
      task('/some-box', 's', { on: 2, addresses: ['10.3.0.5'], ports: [] }),
    ],
  }),
);

function data(name: string, type: string): readonly string[] {
  const records = zone.store.sets(name).flatMap((set) => set.records.map(plainRecord));
  return records
    .filter((record) => record.type === type)
    .map((record) => record.data)
    .sort();
}

/** `-a1b2c-` of every target becomes `-*-`: the hash is of the task id, which is not Mesos's here. */
function services(name: string): readonly string[] {
  return data(name, 'SRV')
    .map((text) => text.replace(/-[ybndrfg8ejkmcpqxot1uwisza345h769]{5}-(?=\d)/, '-*-'))
    .sort();
}

t.test('§3.6: a task has the addresses of its instances, its slave name those of their agents', async (t) => {
  t.same(data('liquor-store.marathon.mesos', 'A'), ['10.3.0.1', '10.3.0.2']);
  t.same(data('liquor-store.marathon.slave.mesos', 'A'), ['1.2.3.11', '1.2.3.12']);
});

t.test('§3.6: a service has a record for each instance and port, of its own protocol only', async (t) => {
  t.same(services('_liquor-store._tcp.marathon.mesos'), [
    '0 1 443 liquor-store-*-11.marathon.mesos',
    '0 1 443 liquor-store-*-12.marathon.mesos',
    '0 1 80 liquor-store-*-11.marathon.mesos',
    '0 1 80 liquor-store-*-12.marathon.mesos',
  ]);
  t.same(services('_liquor-store._udp.marathon.mesos'), []);
  t.same(services('_https._liquor-store._tcp.marathon.mesos'), [
    '0 1 443 liquor-store-*-11.marathon.mesos',
    '0 1 443 liquor-store-*-12.marathon.mesos',
  ]);
});

t.test('§3.6: host ports lead to the agent, under both protocols', async (t) => {
  for (const protocol of ['tcp', 'udp']) {
    t.same(services(`_car-store._${protocol}.marathon.mesos`), [
      '0 1 31364 car-store-*-11.marathon.slave.mesos',
      '0 1 31365 car-store-*-11.marathon.slave.mesos',
    ]);
  }
});

t.test('§3.6: an IPv6 task has AAAA and no A, and a task that does not run has nothing', async (t) => {
  t.same(data('toy-store.marathon.mesos', 'AAAA'), ['fd01:b::1:8000:2']);
  t.same(data('toy-store.marathon.mesos', 'A'), []);
  t.same(zone.store.sets('fancy-store.marathon.mesos'), []);
  t.same(data('some-box.marathon.mesos', 'A'), ['10.3.0.5']);
});

t.test('§3.6: every agent is a slave, and the framework has its port', async (t) => {
  t.same(data('slave.mesos', 'A'), ['1.2.3.1', '1.2.3.11', '1.2.3.12', '1.2.3.13']);
  t.same(data('slave.mesos', 'AAAA'), ['2001:db8::1']);
  t.same(data('_framework._tcp.marathon.mesos', 'SRV'), ['0 1 25501 marathon.mesos']);
});
