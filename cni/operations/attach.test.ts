import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createCni } from '../cni.ts';
import type { CniResult } from '../result/result.ts';
import { ATTACHMENT, attachment, failure, fixture, network, recordingLog } from '../testing/fixture.ts';

const RESULT: CniResult = { interfaces: [], ips: [{ address: '100.64.1.2/24' }], routes: [], dns: {} };

t.test('attach runs each plugin once, in list order (R9)', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.add(network(['a', 'b', 'c']), ATTACHMENT);
  t.same(exec.order(), ['a ADD', 'b ADD', 'c ADD']);
});

t.test(
  'attach gives the first plugin no prevResult and each later one the result before it (R10, R11)',
  async (t) => {
    const { cni, exec } = fixture(t);
    const first = { type: 'a', noop: { ADD: { result: RESULT } } };

    const result = await cni.add(network([first, 'b']), ATTACHMENT);

    t.notOk('prevResult' in (exec.calls[0]?.config ?? {}));
    t.same(exec.calls[1]?.config.prevResult, { cniVersion: '1.1.0', ips: [{ address: '100.64.1.2/24' }] });
    t.same(result, RESULT);
  },
);

t.test('attach converts an answer in another version before handing it on (R11, C13)', async (t) => {
  const { cni, exec } = fixture(t);
  const old = { type: 'a', noop: { ADD: { result: RESULT, version: '0.2.0' } } };

  await cni.add(network([old, 'b']), ATTACHMENT);

  t.same(exec.calls[1]?.config.prevResult, { cniVersion: '1.1.0', ips: [{ address: '100.64.1.2/24' }] });
});

t.test('attach fails when an answer cannot be converted (C13)', async (t) => {
  const { cni, exec } = fixture(t, ({ type, command }) =>
    type === 'a' && command === 'ADD' ? { stdout: '{"cniVersion":"7.0.0"}' } : undefined,
  );
  await t.rejects(cni.add(network(['a', 'b']), ATTACHMENT), {
    code: 'WEIR_CNI_VERSION',
    plugin: 'a',
    message: /Cannot attach container c1 \(eth0\) to network blue: plugin a answered .* "7.0.0" is unknown/,
  });
  t.same(exec.order(), ['a ADD', 'b DEL', 'a DEL']);
});

t.test(
  'attach stops at a failing plugin and takes down all, also those not reached (R12, R13)',
  async (t) => {
    const { cni, exec, cacheDir } = fixture(t, ({ type, command }) =>
      `${type} ${command}` === 'b ADD' ? failure(100, 'no room') : undefined,
    );

    await t.rejects(cni.add(network(['a', 'b', 'c']), ATTACHMENT), { code: 'WEIR_CNI_PLUGIN_FAILED' });

    t.same(exec.order(), ['a ADD', 'b ADD', 'c DEL', 'b DEL', 'a DEL']);
    t.same(await readdir(join(cacheDir, 'pending')), []);
  },
);

t.test('attach reports the error of ADD and logs those of the clean-up (R13, R14)', async (t) => {
  const { log, lines } = recordingLog();
  const answers = (command: string) =>
    command === 'ADD' ? failure(7, 'bad subnet', 'host bits set') : failure(999, 'also broken');
  const { cni, exec } = fixture(t, ({ command }) => answers(command), { log });

  await t.rejects(cni.add(network(['a', 'b']), ATTACHMENT), {
    message: 'Cannot attach container c1 (eth0) to network blue: plugin a failed: bad subnet; host bits set',
    reason: 'plugin a failed: bad subnet; host bits set',
    cniCode: 7,
    details: 'host bits set',
    context: { plugin: 'a', network: 'blue', containerId: 'c1', ifName: 'eth0', command: 'ADD' },
  });

  t.same(exec.order(), ['a ADD', 'b DEL', 'a DEL']);
  t.equal(lines.filter(({ message }) => message.startsWith('clean-up')).length, 2);
});

t.test('attach gives plugins exactly the variables of the specification (R20, R21, R22)', async (t) => {
  const { cni, exec } = fixture(t, undefined, { pluginDirs: ['/one', '/two'] });
  const cniArgs = [
    ['IgnoreUnknown', '1'],
    ['B', 'x=y'],
    ['A', '2'],
  ] as const;

  await cni.add(network(['a']), { ...ATTACHMENT, cniArgs });

  t.same(exec.calls[0]?.env, {
    CNI_COMMAND: 'ADD',
    CNI_CONTAINERID: 'c1',
    CNI_NETNS: ATTACHMENT.netns,
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/one:/two',
    CNI_ARGS: 'IgnoreUnknown=1;B=x=y;A=2',
  });
});

t.test('attach sets no CNI_ARGS when there are none (R22)', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.add(network(['a']), { ...ATTACHMENT, cniArgs: [] });
  t.notOk('CNI_ARGS' in (exec.calls[0]?.env ?? {}));
});

t.test('attach logs what a plugin writes to standard error and keeps it from the result (R23)', async (t) => {
  const { log, lines } = recordingLog();
  const { cni } = fixture(t, undefined, { log });
  const chatty = { type: 'a', noop: { ADD: { result: RESULT, stderr: '{"cniVersion":"1.1.0"}\n' } } };

  t.same(await cni.add(network([chatty]), ATTACHMENT), RESULT);

  const fields = {
    plugin: 'a',
    network: 'blue',
    containerId: 'c1',
    command: 'ADD',
    text: '{"cniVersion":"1.1.0"}',
  };
  t.same(lines, [{ message: 'plugin wrote to standard error', fields }]);
});

t.test('attach names a missing plugin and the search path before anything runs (R48)', async (t) => {
  const { cni, exec, cacheDir } = fixture(t);
  exec.missing.add('b');
  await t.rejects(cni.add(network(['a', 'b']), ATTACHMENT), {
    code: 'WEIR_CNI_PLUGIN_MISSING',
    message: /network blue: plugin b is not in \/plugins/,
  });
  t.same(exec.order(), []);
  await t.rejects(readdir(join(cacheDir, 'pending')), { code: 'ENOENT' });
});

for (const stdout of ['', 'garbage', '[]', '{"ips":[{"address":"nowhere"}]}']) {
  t.test(`attach refuses the answer ${JSON.stringify(stdout)} and cleans up`, async (t) => {
    const { cni, exec } = fixture(t, ({ command }) => (command === 'ADD' ? { stdout } : undefined));
    await t.rejects(cni.add(network(['a']), ATTACHMENT), { code: 'WEIR_CNI_PLUGIN_OUTPUT', plugin: 'a' });
    t.same(exec.order(), ['a ADD', 'a DEL']);
  });
}

t.test(
  'attach quotes both streams of a failing plugin that does not speak JSON, cut to a size (R49)',
  async (t) => {
    const { cni } = fixture(t, () => ({ exitCode: 2, stdout: 'o'.repeat(9999), stderr: 'panic: oh' }));
    const error = await cni.add(network(['a']), ATTACHMENT).catch((thrown: Error) => thrown);
    t.match(error, {
      code: 'WEIR_CNI_PLUGIN_FAILED',
      message: /exit code 2, standard output "ooo.*panic: oh/,
    });
    t.ok('message' in error && error.message.length < 5000);
  },
);

t.test('attach takes a hanging plugin down by DEL (R43)', async (t) => {
  const { cni, exec } = fixture(t);
  const hanging = { type: 'a', noop: { ADD: { hang: true } } };
  await t.rejects(cni.add(network([hanging]), ATTACHMENT), {
    code: 'WEIR_CNI_PLUGIN_TIMEOUT',
    message: /120000 ms/,
  });
  t.same(exec.order(), ['a ADD', 'a DEL']);
});

t.test(
  'attach tries a plugin again that asks for it, with growing pauses, up to a limit (R41)',
  async (t) => {
    const pauses: number[] = [];
    const clock = { now: () => 0, sleep: async (ms: number) => void pauses.push(ms) };
    const { cni, exec } = fixture(t, ({ command }) => (command === 'ADD' ? failure(11, 'busy') : undefined), {
      clock,
    });

    await t.rejects(cni.add(network(['a']), ATTACHMENT), { cniCode: 11, message: /busy/ });

    t.same(pauses, [250, 500, 1000, 2000]);
    t.same(exec.order(), ['a ADD', 'a ADD', 'a ADD', 'a ADD', 'a ADD', 'a DEL']);
  },
);

t.test('attach goes on when a later try succeeds (R41)', async (t) => {
  let tries = 0;
  const clock = { now: () => 0, sleep: async () => {} };
  const busy = () => (++tries < 3 ? failure(11, 'busy') : undefined);
  const { cni, exec } = fixture(t, ({ type }) => (type === 'a' ? busy() : undefined), { clock });
  await cni.add(network(['a', 'b']), ATTACHMENT);
  t.same(exec.order(), ['a ADD', 'a ADD', 'a ADD', 'b ADD']);
});

t.test('attach refuses a second time without a detach between', async (t) => {
  const { cni, exec } = fixture(t);
  await cni.add(network(['a']), ATTACHMENT);
  await t.rejects(cni.add(network(['a']), ATTACHMENT), { code: 'WEIR_CNI_ATTACHED' });
  await cni.add(network(['a']), attachment('c1', 'eth1'));
  t.same(exec.order(), ['a ADD', 'a ADD']);
});

t.test('attach first finishes the clean-up of an attempt that failed', async (t) => {
  let broken = true;
  const { cni, exec } = fixture(t, () => (broken ? failure(5, 'disk') : undefined));
  await t.rejects(cni.add(network(['a']), ATTACHMENT));
  broken = false;

  await cni.add(network(['a']), ATTACHMENT);

  t.same(exec.order(), ['a ADD', 'a DEL', 'a DEL', 'a ADD']);
});

t.test('attach runs nothing when it cannot remember what it does', async (t) => {
  const { cni, exec } = fixture(t, undefined, {
    cacheDir: t.testdir({ pending: { '.blue-c1-eth0': {} } }),
  });
  await t.rejects(cni.add(network(['a']), ATTACHMENT), {
    code: 'WEIR_CNI_CACHE',
    message: /network blue: .*cannot be/,
  });
  t.same(exec.order(), []);
});

t.test('attach refuses impossible names and arguments', async (t) => {
  const { cni, exec } = fixture(t);
  const faulty = { containerId: '-c', ifName: 'a/b', netns: '/ns' };
  await t.rejects(cni.add(network(['a']), faulty), {
    code: 'WEIR_CNI_ARGUMENT',
    cniCode: 4,
    message: /"-c".*"a\/b"/,
  });
  await t.rejects(cni.add(network(['a']), { ...ATTACHMENT, netns: '' }), { code: 'WEIR_CNI_ARGUMENT' });
  await t.rejects(cni.add(network(['a']), { ...ATTACHMENT, cniArgs: [['A', 'x;B=1']] }), {
    code: 'WEIR_CNI_ARGUMENT',
  });
  t.same(exec.order(), []);
});

t.test('attach ends and cleans up when the caller gives up', async (t) => {
  const controller = new AbortController();
  const { cni, exec } = fixture(t, ({ type }) => void (type === 'a' && controller.abort()));
  const { signal } = controller;
  await t.rejects(cni.add(network(['a', 'b']), ATTACHMENT, { signal }), { code: 'WEIR_CNI_ABORTED' });
  t.same(exec.order(), ['a ADD', 'b DEL', 'a DEL']);
});

t.test('attach runs nothing for a caller that gave up while it waited', async (t) => {
  const { cni, exec } = fixture(t);
  const signal = AbortSignal.abort();
  await t.rejects(cni.add(network(['a']), ATTACHMENT, { signal }), {
    code: 'WEIR_CNI_ABORTED',
    message: /network blue/,
  });
  t.same(exec.order(), []);
});

t.test('attach writes a record in the format of libcni', async (t) => {
  const { cni, cacheDir } = fixture(t);
  const list = network([{ type: 'a', capabilities: { mac: true } }], { cniVersion: '1.0.0' });
  const full = {
    ...ATTACHMENT,
    cniArgs: [['K', 'V']] as const,
    capabilityArgs: { mac: 'c2:00:00:00:00:01' },
  };

  await cni.add(list, full);

  const { config, ...record } = JSON.parse(await readFile(join(cacheDir, 'results', 'blue-c1-eth0'), 'utf8'));
  t.same(JSON.parse(Buffer.from(config, 'base64').toString()), list.json);
  t.same(record, {
    kind: 'cniCacheV1',
    containerId: 'c1',
    ifName: 'eth0',
    networkName: 'blue',
    netns: ATTACHMENT.netns,
    cniArgs: [['K', 'V']],
    capabilityArgs: { mac: 'c2:00:00:00:00:01' },
    result: { cniVersion: '1.0.0', ips: [{ address: '100.64.0.2/24' }] },
    bootId: 'boot-1',
  });
});

t.test('attachments survive the process that made them', async (t) => {
  const { cni, exec, cacheDir } = fixture(t);
  await cni.add(network(['a']), ATTACHMENT);
  const { log } = recordingLog();
  const next = createCni({ pluginDirs: [], cacheDir, exec, log, bootId: 'boot-1' });
  t.match(await next.attachments(), [
    { network: { name: 'blue' }, attachment: ATTACHMENT, result: { ips: [{}] } },
  ]);
});
