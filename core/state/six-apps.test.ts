import t from 'tap';
import type { Endpoint } from '../model/directory.ts';
import { SixApps } from './six-apps.ts';

const endpoint = (n: number, ...ips: readonly string[]): Endpoint => ({
  instanceId: `web.instance-${n}`,
  taskId: 't',
  appId: '/web',
  agentId: 'one',
  agentAddress: '100.65.3.1',
  addresses: ips.map((ip) => ({ network: 'weir', ip })),
  ports: [],
  ready: true,
});

t.test('an app has IPv6 from its first instance with such an address to its last', async (t) => {
  const six = new SixApps();
  const [four, both] = [endpoint(1, '100.64.0.1'), endpoint(2, '100.64.0.2', 'fd00::2')];
  t.same([...six.follow(new Map(), { set: [four], gone: [] })], []);
  t.same([...six.follow(new Map(), { set: [both], gone: [] })], ['/web']);
  t.ok(six.has('/web'));
  const known = new Map([four, both].map((one) => [one.instanceId, one]));
  t.same([...six.follow(known, { set: [both], gone: [] })], [], 'set again');
  t.same([...six.follow(known, { set: [], gone: [both.instanceId, four.instanceId] })], ['/web']);
  t.notOk(six.has('/web'));
});
