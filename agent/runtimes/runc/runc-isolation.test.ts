import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../../../core/kit/exec.ts';
import { makeImage } from '../../images-testing.ts';
import { ContainerRefused } from '../../runtime.ts';
import { endOf, needsRoot, type RuncHost, runcHost, tracesOf } from './runc-testing.ts';

const test = (name: string, body: (t: Test, host: RuncHost) => Promise<void>) =>
  t.test(name, { skip: needsRoot }, async (t) => body(t, await runcHost(t)));

test('a container without image sees the programs of the machine and writes to a layer of its own', async (t, host) => {
  const name = `/etc/weir-test-${host.scope}`;
  const output = await host.outputOf(
    `node=$(command -v sort); echo "$node"; echo mine >${name}; cat ${name}`,
  );
  t.equal(output, '/usr/bin/sort\nmine\n');
  await t.rejects(stat(name), { code: 'ENOENT' });
});

test('a container has processes, mounts and /tmp of its own', async (t, host) => {
  await writeFile(join(host.dir, 'secret'), 'x');
  const output = await host.outputOf(
    `echo $$; ls ${host.dir} /tmp 2>&1 | wc -l; touch /tmp/x && echo writable`,
  );
  t.match(output, /^1\n[01234]\nwritable\n$/);
  t.notMatch(await host.outputOf('ls /tmp'), 'weir-runc-');
});

test('a container has a sandbox that is kept in the data directory', async (t, host) => {
  const runtime = host.open();
  await runtime.create(host.spec('job', 'pwd; echo $MESOS_SANDBOX; echo kept >file'));
  await runtime.start('job');
  await endOf(runtime, 'job');
  t.equal(await readFile(join(host.dataDir, 'containers/job/sandbox/file'), 'utf8'), 'kept\n');
  const lines = await Array.fromAsync(runtime.log(join(host.dir, 'logs/job'), { tail: 9 }));
  t.same(
    lines.map(({ text }) => text),
    ['/mnt/mesos/sandbox', '/mnt/mesos/sandbox'],
  );
});

test('a container gets its own resolv.conf, hosts and hostname', async (t, host) => {
  const files = { resolvConf: 'nameserver 127.0.0.53\n', hosts: '127.0.0.1 me\n', hostname: 'me\n' };
  const output = await host.outputOf('cat /etc/resolv.conf /etc/hosts /etc/hostname; hostname', { files });
  t.equal(output, 'nameserver 127.0.0.53\n127.0.0.1 me\nme\nme\n');
});

test('a container runs as the user it names', async (t, host) => {
  t.equal(
    await host.outputOf('id -un; touch file && echo writable', { user: 'nobody' }),
    'nobody\nwritable\n',
  );
  t.equal(await host.outputOf('id -u; id -g', { user: '1234:77' }), '1234\n77\n');
  const unknown = host.spec('bad', 'id', { user: 'no-such-user' });
  await t.rejects(host.open().create(unknown), { code: 'WEIR_UNKNOWN_USER', message: /no-such-user/ });
  t.same(await host.open().list(), []);
});

test('a volume of the machine is seen, for reading only where it says so', async (t, host) => {
  const hostPath = join(host.dir, 'volume');
  await mkdir(hostPath);
  const mounts = [
    { hostPath, containerPath: '/rw', mode: 'RW' as const },
    { hostPath, containerPath: '/ro', mode: 'RO' as const },
    { hostPath: 'inside', containerPath: 'here', mode: 'RW' as const },
  ];
  const output = await host.outputOf('echo a >/rw/a; cat /ro/a; echo b 2>&1 >/ro/b || echo refused; ls', {
    mounts,
  });
  t.match(output, /^a\n(.*\n)?refused\nhere\ninside\n$/);
  t.equal(await readFile(join(hostPath, 'a'), 'utf8'), 'a\n');
});

test('a volume that is not on the machine is refused', async (t, host) => {
  const mounts = [{ hostPath: '/no/such/volume', containerPath: '/v', mode: 'RO' as const }];
  await t.rejects(host.open().create(host.spec('bad', 'true', { mounts })), ContainerRefused);
});

test('a container joins the network namespace it is given', async (t, host) => {
  const name = `weir-${host.scope}`;
  await run('ip', ['netns', 'add', name]);
  t.teardown(() => run('ip', ['netns', 'delete', name]));
  const output = await host.outputOf('ls /sys/class/net', {
    netns: { kind: 'path', path: `/run/netns/${name}` },
  });
  t.equal(output, 'lo\n');
});

test('a container that wants more memory than it has is killed, and its end says so', async (t, host) => {
  const runtime = host.open();
  await runtime.create(host.spec('hog', 'exec tail /dev/zero', { mem: 32 }));
  await runtime.start('hog');
  t.match(await endOf(runtime, 'hog'), { oom: true, exitCode: 137, signal: 'SIGKILL', reason: /32 MiB/ });
});

test('a container has a share of the processors and a ceiling of memory', async (t, host) => {
  const runtime = host.open();
  await runtime.create(host.spec('web', 'exec sleep 300', { cpus: 0.5, mem: 96 }));
  await runtime.start('web');
  const group = `weir/${host.scope}/web`;
  const [v1, v2] = await Promise.all([
    read(`memory/${group}/memory.limit_in_bytes`),
    read(`${group}/memory.max`),
  ]);
  t.equal(Number(v1 ?? v2), 96 * 1024 * 1024);
  const shares = await read(`cpu/${group}/cpu.shares`);
  t.equal(Number(shares ?? 512), 512);
});

test('an image gives entry point, arguments, environment, user and directory', async (t, host) => {
  const reference = await makeImage(host.dir, [
    ...['--config.entrypoint', '/bin/sh', '--config.entrypoint', '-c', '--config.cmd', 'echo default'],
    ...[
      '--config.env',
      'FROM_IMAGE=1',
      '--config.env',
      'BOTH=image',
      '--config.user',
      'app',
      '--config.workingdir',
      '/data',
    ],
  ]);
  const rootfs = { kind: 'image' as const, reference, forcePull: false };
  const entrypoint = (...args: string[]) =>
    host.outputOf('', { rootfs, command: { kind: 'entrypoint', args }, env: { BOTH: 'mine' } });
  t.equal(await entrypoint(), 'default\n');
  t.equal(
    await entrypoint('echo $FROM_IMAGE $BOTH; pwd; cat greeting'),
    '1 mine\n/data\nhello from the image\n',
  );
  t.equal(
    await host.outputOf('echo changed >/bin/cat; echo x >new 2>/dev/null; echo $?', { rootfs, user: 'root' }),
    '0\n',
  );
  t.equal(await entrypoint('cat greeting'), 'hello from the image\n');
});

test('an image that is not there leaves no container', async (t, host) => {
  const rootfs = { kind: 'image' as const, reference: `oci:${host.dir}/none:app`, forcePull: false };
  await t.rejects(host.open().create(host.spec('bad', 'true', { rootfs })), {
    code: 'WEIR_IMAGE_UNAVAILABLE',
  });
  t.same(await host.open().list(), []);
});

test('a removed container leaves no mount, cgroup or process', async (t, host) => {
  const runtime = host.open();
  await runtime.create(host.spec('web', 'sleep 300 & sleep 300 & wait'));
  await runtime.start('web');
  t.ok((await tracesOf(host)).length > 0);
  await runtime.remove('web');
  t.same(await tracesOf(host), []);
});

test('a log that is full is started anew, and the full one is kept', async (t, host) => {
  const runtime = host.open({ logBytes: 64 * 1024 });
  const line = 'i=0; while [ $i -lt 2500 ]; do i=$((i+1)); echo "line $i"; done; exec sleep 300';
  const spec = host.spec('web', line);
  await runtime.create(spec);
  await runtime.start('web');
  for await (const { text } of runtime.log(spec.logDir, { tail: 5, follow: new AbortController().signal })) {
    if (text === 'line 2500') break;
  }
  const newest = await Array.fromAsync(runtime.log(spec.logDir, { tail: 3 }));
  t.same(
    newest.map(({ text }) => text),
    ['line 2498', 'line 2499', 'line 2500'],
  );
  t.ok((await stat(join(spec.logDir, 'log'))).size <= 64 * 1024);
});

async function read(path: string): Promise<string | undefined> {
  return readFile(join('/sys/fs/cgroup', path), 'utf8').catch(() => undefined);
}
