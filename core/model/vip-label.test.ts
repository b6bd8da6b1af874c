import fc from 'fast-check';
import t from 'tap';
import { legacyVipLabels, parseVipTarget, vipKey, vipLabels, vipName } from './vip-label.ts';

const named = (label: string, port: number) => ({ target: { kind: 'name', label, port } });
const literal = (address: string, port: number) => ({ target: { kind: 'address', address, port } });

t.test('a VIP label takes every form of vip.md section 2', async (t) => {
  const forms = [
    ['web:80', named('web', 80)],
    ['/web:80', named('web', 80)],
    ['/prod/web:80', named('prodweb', 80)],
    ['Web.Prod:8080', named('web.prod', 8080)],
    ['my_app:1', named('my-app', 1)],
    ['11.1.2.3:80', literal('11.1.2.3', 80)],
    ['1.2.3:80', named('1.2.3', 80)],
    ['256.1.1.1:80', named('256.1.1.1', 80)],
    ['fd01:c::1:80', literal('fd01:c::1', 80)],
    ['FD01:000C::0001:443', literal('fd01:c::1', 443)],
    ['[fd01:c::1]:443', literal('fd01:c::1', 443)],
    ['::1:65535', literal('::1', 65535)],
    ['web:0080', named('web', 80)],
  ] as const;
  for (const [text, expected] of forms) t.same(parseVipTarget(text), expected, text);
});

t.test('a VIP label that declares nothing gives its reason', async (t) => {
  const faults = [
    ['web', /no port/],
    ['', /no port/],
    ['web:', /port must be/],
    ['web:0', /port must be/],
    ['web:65536', /port must be/],
    ['web:-1', /port must be/],
    ['web:80 ', /port must be/],
    ['web:http', /port must be/],
    ['web:8e1', /port must be/],
    [':80', /no letter or digit/],
    ['/:80', /no letter or digit/],
    ['...:80', /no letter or digit/],
  ] as const;
  for (const [text, reason] of faults) t.match(parseVipTarget(text), { reason }, text);
});

t.test('the labels of a port count by both case prefixes, several at once, each target once', async (t) => {
  const found = vipLabels({
    VIP_0: '/web:80',
    vip_1: '11.1.2.3:443',
    VIPsecond: 'web:80',
    Vip_2: 'other:80',
    note: 'VIP:80',
    VIP_9: 'web:0',
  });
  t.same(found.targets, [
    { kind: 'name', label: 'web', port: 80 },
    { kind: 'address', address: '11.1.2.3', port: 443 },
  ]);
  t.match(found.faults, [{ key: 'VIP_9', value: 'web:0', reason: /port/ }]);
});

t.test('legacy app labels bring protocol and port index', async (t) => {
  const found = legacyVipLabels({
    vip_PORT0: 'tcp://web:80',
    VIP_port1: 'udp://11.1.2.3:53',
    vip_PORT2: 'http://web:80',
    vip_PORT3: 'tcp://web',
    VIP_0: 'web:80',
  });
  t.same(found.vips, [
    {
      key: 'vip_PORT0',
      value: 'tcp://web:80',
      portIndex: 0,
      protocol: 'tcp',
      target: { kind: 'name', label: 'web', port: 80 },
    },
    {
      key: 'VIP_port1',
      value: 'udp://11.1.2.3:53',
      portIndex: 1,
      protocol: 'udp',
      target: { kind: 'address', address: '11.1.2.3', port: 53 },
    },
  ]);
  t.same(
    found.faults.map((fault) => fault.key),
    ['vip_PORT2', 'vip_PORT3'],
  );
});

t.test('names and keys follow vip.md section 3', async (t) => {
  t.equal(vipName('/prod/web'), 'prodweb.marathon');
  t.equal(vipName('web', 'dev/marathon.user'), 'web.devmarathon.user');
  t.equal(vipName('web', ''), 'web');
  t.equal(vipKey('tcp', 'web.marathon', 80), 'tcp:web.marathon:80');
});

t.test('parsing any text gives a target or a reason, and a name is already normal', async () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      const parsed = parseVipTarget(`${host}:${port}`);
      if ('reason' in parsed) return parsed.reason !== '';
      if (parsed.target.kind === 'address') return parsed.target.port === port;
      return /^[a-z0-9.-]+$/.test(parsed.target.label) && parsed.target.port === port;
    }),
  );
});
