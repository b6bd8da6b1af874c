import t from 'tap';
import type { AddressRecord } from './tables.ts';
import { testApp } from './testing/apps.ts';
import { addressNames, hashedName, vipClaims, vipFaults } from './vip-claims.ts';

const port = (labels: Readonly<Record<string, string>> = {}) =>
  ({ port: 10_000, protocol: 'tcp', labels }) as const;

function addresses(...names: readonly string[]): ReadonlyMap<string, AddressRecord> {
  return new Map(names.map((name, index) => [name, { name, address: `11.0.0.${index + 1}` }]));
}

t.test('an app with ports needs an address for its own name and one for each named VIP', async (t) => {
  const app = testApp('/shop/web', { portDefinitions: [port({ VIP_0: '/api:80', VIP_1: 'api:81' })] });
  t.same(addressNames(app), ['weir/web.shop', 'l4lb/api.marathon']);
  t.equal(hashedName('l4lb/api.marathon'), 'api.marathon');
});

t.test('an app without ports, and a VIP that is an address, need none', async (t) => {
  t.same(addressNames(testApp('/web')), []);
  const literal = testApp('/web', { portDefinitions: [port({ VIP_0: '11.9.9.9:80' })] });
  t.same(addressNames(literal), ['weir/web']);
});

t.test('an app claims its own name on its service port and its labels on theirs', async (t) => {
  const app = testApp('/web', { portDefinitions: [port({ VIP_0: 'api:80' })] });
  t.match(vipClaims(app, addresses('weir/web', 'l4lb/api.marathon')), [
    { key: 'tcp:web.weir:10000', address: '11.0.0.1', port: 10_000, names: ['web.weir'] },
    {
      key: 'tcp:api.marathon.l4lb.thisdcos.directory:80',
      address: '11.0.0.2',
      names: ['api.marathon.l4lb.thisdcos.directory', 'api.marathon.l4lb.thisdcos.global'],
    },
  ]);
});

t.test('a container claims its own name on the port it listens on', async (t) => {
  const mapping = {
    containerPort: 80,
    servicePort: 10_000,
    protocol: 'tcp',
    labels: {},
    networkNames: [],
  } as const;
  const app = testApp('/web', {
    networks: [{ mode: 'container', name: 'weir' }],
    container: { type: 'MESOS', volumes: [], portMappings: [mapping, { ...mapping, containerPort: 0 }] },
  });
  t.same(
    vipClaims(app, addresses('weir/web')).map((claim) => claim.port),
    [80, 10_000],
  );
});

t.test('a name without an address is not claimed yet; an address needs none', async (t) => {
  const app = testApp('/web', { portDefinitions: [port({ VIP_0: 'api:80', VIP_1: '11.9.9.9:90' })] });
  t.match(vipClaims(app, new Map()), [{ key: 'tcp:11.9.9.9:90', address: '11.9.9.9', names: [] }]);
});

t.test('udp and tcp are two claims, the same label twice is one', async (t) => {
  const both = { port: 1, protocol: 'udp,tcp', labels: { VIP_0: 'a:53', VIP_1: 'a:53' } } as const;
  const app = testApp('/dns', { portDefinitions: [both] });
  const keys = vipClaims(app, addresses('l4lb/a.marathon')).map((claim) => claim.protocol);
  t.same(keys.sort(), ['tcp', 'udp']);
});

t.test('a legacy app label names the port by its index', async (t) => {
  const app = testApp('/web', { portDefinitions: [port()], labels: { vip_PORT0: 'tcp://old:80' } });
  t.match(vipClaims(app, addresses('l4lb/old.marathon')), [
    { port: 80, service: { appId: '/web', portIndex: 0 } },
  ]);
});

t.test('labels that declare nothing are faults of the app, with what was expected', async (t) => {
  const app = testApp('/web', {
    portDefinitions: [port({ VIP_0: 'web', VIP_1: 'web:0', VIP_2: 'web:80', WEIR_VIP_WEIGHT: '101' })],
    labels: { vip_PORT7: 'tcp://old:80', vip_PORT0: 'old:80', WEIR_VIP_BALANCE: 'best' },
  });
  t.match(vipFaults(app), [
    { key: 'VIP_0', reason: /no port/ },
    { key: 'VIP_1', reason: /1 to 65535/ },
    { key: 'WEIR_VIP_WEIGHT', reason: /0 to 100/ },
    { key: 'vip_PORT0', reason: /tcp:/ },
    { key: 'vip_PORT7', reason: 'the app has no port 7' },
    { key: 'WEIR_VIP_BALANCE', reason: /source-hash/ },
  ]);
  t.equal(vipClaims(app, addresses('l4lb/web.marathon')).length, 1, 'the good ones count all the same');
});

t.test('balance and weight are said by labels of the app, and of a port before them', async (t) => {
  const labels = { WEIR_VIP_BALANCE: 'maglev', WEIR_VIP_WEIGHT: '5' };
  const app = testApp('/web', { portDefinitions: [port(), port({ WEIR_VIP_WEIGHT: '0' })], labels });
  t.match(vipClaims(app, addresses('weir/web')), [
    { balance: 'maglev', service: { portIndex: 0, weight: 5 } },
    { balance: 'maglev', service: { portIndex: 1, weight: 0 } },
  ]);
});

t.test('how long a client stays is said by a label, in seconds as Kubernetes says it', async (t) => {
  const of = (value: string) => testApp('/web', { portDefinitions: [port({ WEIR_VIP_AFFINITY: value })] });
  for (const [value, affinitySeconds] of [
    ['1', 1],
    ['10800', 10_800],
    ['86400', 86_400],
  ] as const) {
    t.match(vipClaims(of(value), addresses('weir/web')), [{ affinitySeconds }]);
    t.same(vipFaults(of(value)), []);
  }
  for (const value of ['0', '86401', '-1', '1.5', '1e3', 'ClientIP', '']) {
    t.notHas(vipClaims(of(value), addresses('weir/web'))[0], { affinitySeconds: Number });
    t.match(vipFaults(of(value)), [{ key: 'WEIR_VIP_AFFINITY', value, reason: /1 to 86400/ }], value);
  }
});

t.test(
  'a dual-stack named VIP has an A and an AAAA address, where its app has backends of IPv6',
  async (t) => {
    const app = testApp('/web', { portDefinitions: [port({ VIP_0: 'api:80' })] });
    const records = addresses('weir/web', 'l4lb/api.marathon', '6/weir/web', '6/l4lb/api.marathon');
    t.equal(vipClaims(app, records).length, 2);
    const six = new Map(
      [...records].map(([name, one]) => [
        name,
        name.startsWith('6/') ? { ...one, address: 'fd01:c::1' } : one,
      ]),
    );
    t.match(
      vipClaims(app, six, true).map(({ key, address }) => `${key} ${address}`),
      [
        'tcp:web.weir:10000 11.0.0.1',
        'tcp6:web.weir:10000 fd01:c::1',
        'tcp:api.marathon.l4lb.thisdcos.directory:80 11.0.0.2',
        'tcp6:api.marathon.l4lb.thisdcos.directory:80 fd01:c::1',
      ],
    );
  },
);
