import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { ATTACHMENT, failure, fixture, network } from '../testing/fixture.ts';

const RESULT = { interfaces: [], ips: [{ address: '100.64.1.2/24' }], routes: [], dns: {} };
const dels = (order: readonly string[]) => order.filter((entry) => entry.endsWith('DEL'));

t.test(
  'detach runs the plugins last first with the configuration and result of the attach (R24)',
  async (t) => {
    const { cni, exec } = fixture(t);
    const original = network([{ type: 'a', mtu: 1400, noop: { ADD: { result: RESULT } } }, 'b']);
    await cni.add(original, { ...ATTACHMENT, cniArgs: [['K', 'V']] });

    await cni.del(network([{ type: 'a', mtu: 9000 }, 'other']), ATTACHMENT);

    t.same(dels(exec.order()), ['b DEL', 'a DEL']);
    const [, , b, a] = exec.calls;
    t.equal(a?.config.mtu, 1400);
    t.equal(a?.env.CNI_ARGS, 'K=V');
    for (const call of [a, b]) {
      t.same(call?.config.prevResult, { cniVersion: '1.1.0', ips: [{ address: '100.64.1.2/24' }] });
    }
  },
);

t.test('detach works by name, or without one, when the network is no longer configured (R24)', async (t) => {
  const { cni, exec } = fixture(t);
  for (const target of ['blue', undefined]) {
    await cni.add(network(['a']), ATTACHMENT);
    await cni.del(target, ATTACHMENT);
  }
  t.same(exec.order(), ['a ADD', 'a DEL', 'a ADD', 'a DEL']);
  t.same(await cni.attachments(), []);
});

t.test(
  'detach of an unknown attachment runs the plugins of a configured network and succeeds (R25)',
  async (t) => {
    const { cni, exec } = fixture(t);
    await cni.del(network(['a', 'b']), ATTACHMENT);
    t.same(exec.order(), ['b DEL', 'a DEL']);
    t.notOk('prevResult' in (exec.calls[0]?.config ?? {}));
  },
);

t.test('detach of an unknown attachment of an unknown network succeeds (R25)', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.del(undefined, ATTACHMENT);
  await cni.del('green', ATTACHMENT);
  t.same(exec.order(), []);
});

t.test(
  'detach keeps the record when a plugin fails, and runs the whole chain the next time (R26)',
  async (t) => {
    let broken = true;
    const { cni, exec } = fixture(t, ({ type, command }) =>
      broken && `${type} ${command}` === 'a DEL' ? failure(5, 'in use') : undefined,
    );
    await cni.add(network(['a', 'b']), ATTACHMENT);

    await t.rejects(cni.del('blue', ATTACHMENT), {
      message: 'Cannot detach container c1 (eth0) from network blue: plugin a failed: in use',
    });
    t.equal((await cni.attachments()).length, 1);
    broken = false;
    await cni.del('blue', ATTACHMENT);

    t.same(dels(exec.order()), ['b DEL', 'a DEL', 'b DEL', 'a DEL']);
    t.same(await cni.attachments(), []);
  },
);

t.test('detach a second time succeeds (R27)', async (t) => {
  const { cni } = fixture(t);
  await cni.add(network(['a']), ATTACHMENT);
  await cni.del(network(['a']), ATTACHMENT);
  await t.resolves(cni.del(network(['a']), ATTACHMENT));
});

t.test('detach runs every plugin with an empty namespace when it is gone (R29)', async (t) => {
  const { cni, exec } = fixture(t);
  const gone = { ...ATTACHMENT, netns: '/run/netns/weir-gone' };
  await cni.add(network(['a', 'b']), gone);

  await cni.del('blue', gone);
  await cni.del(network(['a', 'b']), { ...gone, netns: '' });

  const calls = exec.calls.filter(({ command }) => command === 'DEL');
  t.same(
    calls.map(({ env }) => env.CNI_NETNS),
    ['', '', '', ''],
  );
});

t.test('detach takes "container unknown" as success (R42)', async (t) => {
  const { cni, exec } = fixture(t, ({ command }) => (command === 'DEL' ? failure(3, 'unknown') : undefined));
  await cni.add(network(['a', 'b']), ATTACHMENT);
  await cni.del('blue', ATTACHMENT);
  t.same(dels(exec.order()), ['b DEL', 'a DEL']);
});

t.test('detach goes on without a result when the record is unreadable', async (t) => {
  const { cni, exec, cacheDir } = fixture(t);
  await cni.add(network(['a']), ATTACHMENT);
  await writeFile(join(cacheDir, 'results', 'blue-c1-eth0'), '{"kind":"cniCa');

  await cni.del(network(['a']), ATTACHMENT);

  t.same(exec.order(), ['a ADD', 'a DEL']);
  t.same(await readdir(join(cacheDir, 'results')), []);
});

t.test('detach sends no prevResult to plugins of before 0.4', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.add(network(['a'], { cniVersion: '0.3.1' }), ATTACHMENT);
  await cni.del('blue', ATTACHMENT);
  t.notOk('prevResult' in (exec.calls[1]?.config ?? {}));
});

t.test('detach tells attachments apart whose records would share a file', async (t) => {
  const { cni } = fixture(t);
  await cni.add(network(['a'], { name: 'x-y' }), { ...ATTACHMENT, containerId: 'z' });
  const other = { ...ATTACHMENT, containerId: 'y-z' };
  await t.rejects(cni.add(network(['a'], { name: 'x' }), other), { code: 'WEIR_CNI_CACHE' });
  await t.rejects(cni.del('x', other), { code: 'WEIR_CNI_CACHE' });
  t.equal((await cni.attachments()).length, 1);
});
