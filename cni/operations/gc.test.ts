import t from 'tap';
import { attachment, failure, fixture, network } from '../testing/fixture.ts';

const NAMED = [
  { containerId: 'keep', ifName: 'eth0' },
  { containerId: 'keep', ifName: 'eth1' },
];

t.test(
  'gc detaches what is known and not valid, then asks every plugin with the valid list (R35, R36)',
  async (t) => {
    const { cni, exec } = fixture(t);
    const list = network(['a', 'b']);
    for (const [id, ifName] of [
      ['keep', 'eth0'],
      ['keep', 'eth1'],
      ['stale', 'eth0'],
    ] as const) {
      await cni.add(list, attachment(id, ifName));
    }
    await cni.add(network(['a'], { name: 'green' }), attachment('other'));

    await cni.gc(list, NAMED);

    t.same(exec.order().slice(7), ['b DEL', 'a DEL', 'a GC', 'b GC']);
    t.equal(exec.calls[7]?.env.CNI_CONTAINERID, 'stale');
    const valid = [
      { containerID: 'keep', ifname: 'eth0' },
      { containerID: 'keep', ifname: 'eth1' },
    ];
    t.match(exec.calls.at(-1)?.config, { 'cni.dev/valid-attachments': valid, 'cni.dev/attachments': valid });
    t.same(exec.calls.at(-1)?.env, { CNI_COMMAND: 'GC', CNI_PATH: '/plugins' });
    t.equal((await cni.attachments()).length, 3);
  },
);

t.test('gc asks all plugins although one fails, and reports every error (R37)', async (t) => {
  const { cni, exec } = fixture(t, ({ type, command }) =>
    command === 'GC' && type !== 'b' ? failure(5, `${type} is stuck`) : undefined,
  );
  await t.rejects(cni.gc(network(['a', 'b', 'c']), []), {
    code: 'WEIR_CNI_GC',
    message: /Cannot collect left-overs of network blue: .*a is stuck.*c is stuck/,
    errors: [{ plugin: 'a' }, { plugin: 'c' }],
  });
  t.same(exec.order(), ['a GC', 'b GC', 'c GC']);
});

t.test('gc still asks the plugins when detaching a stale attachment fails (R37)', async (t) => {
  const { cni, exec } = fixture(t, ({ command }) => (command === 'DEL' ? failure(5, 'stuck') : undefined));
  await cni.add(network(['a']), attachment('stale'));
  await t.rejects(cni.gc(network(['a']), []), {
    errors: [{ context: { command: 'DEL', containerId: 'stale' } }],
  });
  t.same(exec.order(), ['a ADD', 'a DEL', 'a GC']);
});

t.test('gc does nothing on a network that switched it off (R38)', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.add(network(['a']), attachment('stale'));
  await cni.gc(network(['a'], { disableGC: true }), []);
  t.same(exec.order(), ['a ADD']);
});

t.test('gc of before 1.1 only detaches what is stale (R38)', async (t) => {
  const { cni, exec } = fixture(t);
  const list = network(['a'], { cniVersion: '1.0.0' });
  await cni.add(list, attachment('stale'));
  await cni.gc(list, []);
  t.same(exec.order(), ['a ADD', 'a DEL']);
});

t.test('gc waits for operations of its network, and later ones wait for it (R34)', async (t) => {
  const gate = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const { cni, exec } = fixture(t, async ({ env }) => {
    if (env.CNI_CONTAINERID !== 'first') return undefined;
    began.resolve();
    await gate.promise;
    return undefined;
  });
  const first = cni.add(network(['a']), attachment('first'));
  await began.promise;
  const gc = cni.gc(network(['a']), []);
  await cni.add(network(['g'], { name: 'green' }), attachment('elsewhere'));
  t.same(exec.order(), ['a ADD', 'g ADD']);

  gate.resolve();
  await Promise.all([first, gc]);

  t.same(exec.order(), ['a ADD', 'g ADD', 'a GC']);
  const valid = exec.calls[2]?.config['cni.dev/valid-attachments'];
  t.same(
    valid,
    [{ containerID: 'first', ifname: 'eth0' }],
    'attached since the list was made, so it is live',
  );
});

t.test('gc runs only after what an earlier process left was recovered (R39)', async (t) => {
  const before = fixture(t);
  await before.cni.add(network(['a']), attachment('old'));
  const { cni, exec } = fixture(t, undefined, { cacheDir: before.cacheDir, bootId: 'boot-2' });
  await cni.gc(network(['a']), []);
  t.same(exec.order(), ['a DEL', 'a GC']);
});
