import fc from 'fast-check';
import t from 'tap';
import type { Directory, Vip } from '../../core/model/directory.ts';
import { type Derived, vipTable } from './table.ts';
import { endpoint, noDirectory, revised, tcpVip } from './testing/directories.ts';

const web = tcpVip('100.64.0.1', 80, '/web');
const api = tcpVip('100.64.0.2', 80, '/api');
const at = (n: number, port = 80) => ({ address: `10.0.0.${n}`, port });
const derived = (directory: Directory): Derived => ({ directory, table: vipTable(directory) });
const backends = (directory: Directory, key: string): readonly string[] | undefined =>
  vipTable(directory)
    .services.get(key)
    ?.backends.map(({ address, port }) => `${address}:${port}`);

t.test('a table has the ready endpoints of every VIP, ordered, each once', async (t) => {
  const directory = revised(noDirectory, {
    vips: [tcpVip('100.64.0.1', 80, '/web', '/web', '/green')],
    endpoints: [
      endpoint('/web', 1, at(2)),
      endpoint('/web', 2, at(1)),
      endpoint('/web', 3, { ...at(3), ready: false }),
      endpoint('/green', 1, at(1, 8080)),
    ],
  });
  t.same(backends(directory, 'tcp:100.64.0.1:80'), ['10.0.0.1:80', '10.0.0.1:8080', '10.0.0.2:80']);
});

t.test('a VIP whose endpoints are all gone or unready is a service without backends', async (t) => {
  const endpoints = [endpoint('/web', 1, { ...at(1), ready: false })];
  const directory = revised(noDirectory, { vips: [web, api], endpoints });
  t.same(backends(directory, 'tcp:100.64.0.1:80'), []);
  t.same(backends(directory, 'tcp:100.64.0.2:80'), []);
});

t.test('a VIP takes backends of its own family only', async (t) => {
  const directory = revised(noDirectory, {
    vips: [web, tcpVip('fd01:c::1', 80, '/web')],
    endpoints: [endpoint('/web', 1, at(1)), endpoint('/web', 2, { address: 'fd00::2', port: 80 })],
  });
  t.same(backends(directory, 'tcp:100.64.0.1:80'), ['10.0.0.1:80']);
  t.same(backends(directory, 'tcp:fd01:c::1:80'), ['fd00::2:80']);
});

t.test(
  'the family filter table of vip.md: a VIP of either family has the backends of that family alone',
  async (t) => {
    const dual = {
      ...endpoint('/web', 1, { address: '100.64.0.1', port: 80 }),
      addresses: [
        { network: 'weir', ip: '100.64.0.1' },
        { network: 'weir', ip: 'fd00::1' },
      ],
    };
    const four = endpoint('/web', 2, { address: '100.64.0.2', port: 80 });
    const vips = [tcpVip('100.100.0.1', 80, '/web'), tcpVip('fd01:c::1', 80, '/web')];
    const directory = revised(noDirectory, { endpoints: [dual, four], vips });
    const backends = [...vipTable(directory).services.values()].map((service) =>
      service.backends.map(({ address }) => address),
    );
    t.same(backends, [['100.64.0.1', '100.64.0.2'], ['fd00::1']]);
  },
);

t.test('two VIPs with one address and port share their backends', async (t) => {
  const directory = revised(noDirectory, {
    vips: [web, tcpVip('100.64.0.1', 80, '/api')],
    endpoints: [endpoint('/web', 1, at(1)), endpoint('/api', 1, at(2))],
  });
  t.same(backends(directory, 'tcp:100.64.0.1:80'), ['10.0.0.1:80', '10.0.0.2:80']);
});

t.test('a table is the identical value where nothing changed, and only there', async (t) => {
  const before = derived(
    revised(noDirectory, {
      vips: [web, api],
      endpoints: [endpoint('/web', 1, at(1)), endpoint('/api', 1, at(2))],
    }),
  );
  const after = vipTable(revised(before.directory, { endpoints: [endpoint('/web', 2, at(3))] }), before);
  t.equal(after.services.get('tcp:100.64.0.2:80'), before.table.services.get('tcp:100.64.0.2:80'));
  t.equal(after.services.get('tcp:100.64.0.1:80')?.backends.length, 2);
});

t.test('a table follows a VIP that is redefined, joined by another and left by it', async (t) => {
  const joining: Vip = tcpVip('100.64.0.1', 80, '/api');
  const endpoints = [endpoint('/web', 1, at(1)), endpoint('/api', 1, at(2))];
  const alone = derived(revised(noDirectory, { vips: [web], endpoints }));
  const joined = revised(alone.directory, { vips: [joining] });
  const both = { directory: joined, table: vipTable(joined, alone) };
  const left = revised(joined, { vipsGone: [joining.key] });
  const redefined = revised(joined, { vips: [{ ...web, services: [] }] });
  const count = (table: ReturnType<typeof vipTable>) =>
    table.services.get('tcp:100.64.0.1:80')?.backends.length;
  t.same([both.table, vipTable(left, both), vipTable(redefined, both)].map(count), [2, 1, 1]);
});

t.test('a table refuses addresses that are an agent or no single machine', async (t) => {
  const agent = { id: 'one', hostname: 'one', address: '192.168.0.5', master: false };
  const bad = ['192.168.0.5', '0.0.0.0', '224.0.0.1', '255.255.255.255', 'nonsense'];
  const directory = revised(noDirectory, {
    agents: [agent],
    vips: [web, ...bad.map((address) => tcpVip(address, 80, '/web'))],
  });
  const table = vipTable(directory);
  t.same([...table.services.keys()], ['tcp:100.64.0.1:80']);
  t.same(
    table.problems.map((problem) => problem.key),
    bad.map((address) => `tcp:${address}:80`),
  );
});

t.test('a table that follows another is the one made from nothing', async () => {
  const apps = ['/a', '/b', '/c'];
  const vips = [
    tcpVip('100.64.0.1', 80, '/a'),
    tcpVip('100.64.0.2', 80, '/a', '/b'),
    tcpVip('100.64.0.1', 80, '/c'),
  ];
  const change = fc.record({
    app: fc.constantFrom(...apps),
    n: fc.nat(2),
    what: fc.constantFrom('ready', 'unready', 'gone', 'vip', 'vipGone'),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      let directory = revised(noDirectory, { vips });
      let table = vipTable(directory);
      return changes.every(({ app, n, what }) => {
        const one = endpoint(app, n, {
          address: `10.0.${n}.${apps.indexOf(app)}`,
          port: 80,
          ready: what === 'ready',
        });
        const next = revised(directory, {
          ...(what === 'ready' || what === 'unready' ? { endpoints: [one] } : {}),
          ...(what === 'gone' ? { gone: [one.instanceId] } : {}),
          ...(what === 'vip' ? { vips: [vips[n]!] } : {}),
          ...(what === 'vipGone' ? { vipsGone: [vips[n]!.key] } : {}),
        });
        table = vipTable(next, { directory, table });
        directory = next;
        return (
          JSON.stringify([...table.services].sort()) === JSON.stringify([...vipTable(next).services].sort())
        );
      });
    }),
  );
});
