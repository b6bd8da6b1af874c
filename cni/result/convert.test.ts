import fc from 'fast-check';
import t from 'tap';
import type { JsonObject } from '../json.ts';
import { KNOWN_VERSIONS } from '../versions.ts';
import { formatResult } from './format.ts';
import { parseResult } from './parse.ts';
import type { CniResult } from './result.ts';

const V4 = { address: '10.1.0.5/16', gateway: '10.1.0.1' };
const V6 = { address: 'fd00::5/64', gateway: 'fd00::1' };
const FULL: CniResult = {
  interfaces: [
    { name: 'cni0', mac: '02:00:00:00:00:01' },
    {
      name: 'eth0',
      mac: '02:00:00:00:00:02',
      mtu: 1450,
      sandbox: '/ns',
      socketPath: '/s',
      pciID: '0000:00:1f.0',
    },
  ],
  ips: [
    { ...V4, interface: 0 },
    { ...V6, interface: 1 },
  ],
  routes: [
    { dst: '0.0.0.0/0', gw: '10.1.0.1', mtu: 1400, advmss: 1360, priority: 5, table: 100, scope: 253 },
    { dst: '::/0' },
  ],
  dns: { nameservers: ['10.1.0.1'], domain: 'local', search: ['local'], options: ['ndots:1'] },
};

function convert(json: JsonObject, version: string): JsonObject {
  return formatResult(parseResult(json, '1.1.0'), version);
}

t.test('conversion makes one address of a 0.2 result with ip4 (C1)', async (t) => {
  const old = {
    cniVersion: '0.2.0',
    ip4: { ip: V4.address, gateway: V4.gateway, routes: [{ dst: '0.0.0.0/0' }] },
  };
  t.same(convert(old, '1.0.0'), { cniVersion: '1.0.0', ips: [V4], routes: [{ dst: '0.0.0.0/0' }] });
});

t.test('conversion puts version 4 before version 6 (C2)', async (t) => {
  const old = { cniVersion: '0.2.0', ip6: { ip: V6.address, gateway: V6.gateway }, ip4: { ip: V4.address } };
  t.same(convert(old, '1.1.0').ips, [{ address: V4.address }, V6]);
});

t.test('conversion to 0.2 files each route under its family, with dst and gw only (C3, C9)', async (t) => {
  t.same(formatResult(FULL, '0.2.0'), {
    cniVersion: '0.2.0',
    ip4: { ip: V4.address, gateway: V4.gateway, routes: [{ dst: '0.0.0.0/0', gw: '10.1.0.1' }] },
    ip6: { ip: V6.address, gateway: V6.gateway, routes: [{ dst: '::/0' }] },
    dns: FULL.dns,
  });
});

t.test('conversion to 0.2 takes the first address of each family (C4)', async (t) => {
  const ips = [V6, V4, { address: '10.1.0.6/16' }, { address: 'fd00::6/64' }];
  t.match(formatResult({ ...FULL, ips }, '0.2.0'), { ip4: { ip: V4.address }, ip6: { ip: V6.address } });
});

t.test('conversion to 0.2 fails without an address (C5)', async (t) => {
  t.throws(() => formatResult({ ...FULL, ips: [] }, '0.1.0'), {
    code: 'WEIR_CNI_VERSION',
    message: 'cannot convert the result to CNI 0.1.0: no valid IP addresses',
  });
});

t.test('conversion from 0.4 removes the version of an address (C6)', async (t) => {
  const old = { cniVersion: '0.4.0', ips: [{ version: '4', ...V4, interface: 0 }], dns: {} };
  t.same(convert(old, '1.0.0'), { cniVersion: '1.0.0', ips: [{ ...V4, interface: 0 }] });
});

t.test('conversion to 0.4 derives the version of an address (C7)', async (t) => {
  t.match(formatResult(FULL, '0.4.0').ips, [{ version: '4' }, { version: '6' }]);
});

t.test('conversion to 1.0 and back loses nothing (C8)', async (t) => {
  t.same(convert(convert({ ...formatResult(FULL, '1.1.0') }, '1.0.0'), '1.1.0'), {
    cniVersion: '1.1.0',
    ...FULL,
  });
});

t.test('conversion to 0.4 drops what interfaces got in 1.1 and copies routes whole (C9)', async (t) => {
  const { interfaces, routes } = formatResult(FULL, '0.4.0');
  t.same(interfaces, [FULL.interfaces[0], { name: 'eth0', mac: '02:00:00:00:00:02', sandbox: '/ns' }]);
  t.same(routes, FULL.routes);
});

t.test('conversion writes an empty dns only before 1.0 (C10)', async (t) => {
  const result = { ...FULL, dns: {} };
  for (const version of KNOWN_VERSIONS) {
    t.same(formatResult(result, version).dns, version.startsWith('0.') ? {} : undefined, version);
  }
});

t.test('conversion keeps an absent interface index absent and 0 as 0 (C11)', async (t) => {
  const ips = [V4, { ...V6, interface: 0 }];
  for (const version of ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const) {
    t.same(parseResult(formatResult({ ...FULL, ips }, version), version).ips, ips, version);
  }
});

t.test('conversion to an unknown version names the known ones (C12)', async (t) => {
  t.throws(() => formatResult(FULL, '2.0.0'), {
    code: 'WEIR_CNI_VERSION',
    message: /"2.0.0".*0.1.0, 0.2.0, .*1.1.0/,
  });
});

t.test('result without a version has that of the request', async (t) => {
  t.same(parseResult({ ip4: { ip: V4.address } }, '0.2.0').ips, [{ address: V4.address }]);
});

for (const [field, json] of [
  ['ips[0].address', { ips: [{ address: '10.0.0.1' }] }],
  ['ips[0].address', { ips: [{ address: '10.0.0.1/33' }] }],
  ['ips[0].gateway', { ips: [{ ...V4, gateway: 'gw' }] }],
  ['ips[0].interface', { ips: [{ ...V4, interface: '1' }] }],
  ['ips', { ips: {} }],
  ['routes[0].dst', { routes: [{}] }],
  ['interfaces[0].name', { interfaces: [{ name: 1 }] }],
  ['dns.search', { dns: { search: [1] } }],
] as const) {
  t.test(`result names the field that is wrong: ${field}`, async (t) => {
    t.throws(() => parseResult(json, '1.1.0'), {
      code: 'WEIR_CNI_PLUGIN_OUTPUT',
      reason: new RegExp(`^${field.replace(/[[\].]/g, '\\$&')} must`),
    });
  });
}

const address = fc.oneof(
  fc.ipV4().map((ip) => `${ip}/24`),
  fc.ipV6().map((ip) => `${ip}/64`),
);
const results: fc.Arbitrary<CniResult> = fc.record({
  interfaces: fc.array(fc.record({ name: fc.string(), sandbox: fc.constantFrom('/a', '/b') })),
  ips: fc.array(fc.record({ address, interface: fc.nat(4) }, { requiredKeys: ['address'] })),
  routes: fc.array(fc.record({ dst: address, priority: fc.nat() }, { requiredKeys: ['dst'] })),
  dns: fc.record({ domain: fc.constant('local') }, { requiredKeys: [] }),
});

t.test('result survives every version from 0.3 on', async () => {
  fc.assert(
    fc.property(results, fc.constantFrom('0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'), (result, version) => {
      const back = parseResult(JSON.parse(JSON.stringify(formatResult(result, version))), version as '1.1.0');
      return JSON.stringify(formatResult(back, version)) === JSON.stringify(formatResult(result, version));
    }),
  );
});
