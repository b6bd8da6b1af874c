import { existsSync } from 'node:fs';
import { readdir, readFile, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import t from 'tap';
import { silentLog } from '../core/kit/log.ts';
import { createCni } from './cni.ts';
import { networkOf } from './config/network.ts';
import type { JsonObject } from './json.ts';
import { createProcessExec } from './process-exec.ts';
import { installNoop } from './testing/install-noop.ts';
import { type Lab, openLab } from './testing/lab.ts';

const PLUGINS = '/usr/lib/cni';
const ATTACH_ONCE = fileURLToPath(new URL('testing/attach-once.ts', import.meta.url));
const skip = skipReason();

function skipReason(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync(join(PLUGINS, 'bridge')) ? false : 'needs the package containernetworking-plugins';
}

t.test('cni with the reference plugins', { skip }, async (t) => {
  const lab = await openLab();
  t.teardown(() => lab.close());
  const cni = createCni({
    pluginDirs: [PLUGINS],
    cacheDir: join(lab.dir, 'cache'),
    exec: createProcessExec({ env: process.env, prefix: lab.prefix }),
    log: silentLog,
  });

  t.test('attaches through bridge, host-local and portmap and detaches without a trace', async (t) => {
    const netns = await lab.container('web');
    const portMappings = [{ hostPort: 8088, containerPort: 80, protocol: 'tcp' }];
    const attachment = { containerId: 'web', ifName: 'eth0', netns, capabilityArgs: { portMappings } };

    const result = await cni.add(blue(lab), attachment);

    t.same(result.ips, [{ address: '100.64.7.2/24', gateway: '100.64.7.1', interface: 2 }]);
    t.match(result.interfaces[2], { name: 'eth0', sandbox: netns });
    t.match(await lab.in('web', 'ip', '-o', 'addr', 'show', 'eth0'), /100\.64\.7\.2\/24/);
    t.match(await lab.onHost('iptables-save', '-t', 'nat'), /dport 8088/);

    await cni.del('blue', attachment);

    t.notMatch(await lab.in('web', 'ip', '-o', 'addr'), /100\.64\.7\.2/);
    t.notMatch(await lab.onHost('iptables-save', '-t', 'nat'), /dport 8088/);
    t.same(await reserved(lab), []);
  });

  t.test('checks what bridge and host-local made, and says what is gone', async (t) => {
    const attachment = { containerId: 'checked', ifName: 'eth0', netns: await lab.container('checked') };
    await cni.add(plain(lab), attachment);

    await t.resolves(cni.check(plain(lab), attachment));
    await lab.in('checked', 'ip', 'addr', 'flush', 'dev', 'eth0');

    await t.rejects(cni.check(plain(lab), attachment), { code: 'WEIR_CNI_PLUGIN_FAILED', plugin: 'bridge' });
    await cni.del('plain', attachment);
  });

  t.test('attaches ten containers at once to ten different addresses', async (t) => {
    const names = Array.from({ length: 10 }, (_, index) => `p${index}`);
    const attachments = [];
    for (const name of names) {
      attachments.push({ containerId: name, ifName: 'eth0', netns: await lab.container(name) });
    }

    const results = await Promise.all(attachments.map((attachment) => cni.add(plain(lab), attachment)));

    t.equal(new Set(results.map((result) => result.ips[0]?.address)).size, 10);
    t.equal((await reserved(lab, 'plain')).length, 10);
    const peer = results[9]?.ips[0]?.address.split('/')[0] ?? '';
    // A refusal is an answer of the peer: packets go both ways.
    await t.rejects(
      lab.in('p0', 'timeout', '3', 'bash', '-c', `: </dev/tcp/${peer}/9`),
      /Connection refused/,
    );

    await Promise.all(attachments.map((attachment) => cni.del('plain', attachment)));
    t.same(await reserved(lab, 'plain'), []);
    t.same(await cni.attachments(), []);
  });

  t.test('frees the address of a container whose namespace is gone (R29)', async (t) => {
    const attachment = { containerId: 'lost', ifName: 'eth0', netns: await lab.container('lost') };
    await cni.add(plain(lab), attachment);
    await lab.removeContainer('lost');

    await cni.del('plain', attachment);

    t.same(await reserved(lab, 'plain'), []);
  });

  t.test('leaves nothing behind when a later plugin of the chain fails (R13)', async (t) => {
    const attachment = { containerId: 'half', ifName: 'eth0', netns: await lab.container('half') };
    const broken = networkOf({
      ...plain(lab).json,
      plugins: [
        ...plain(lab).plugins.map(({ conf }) => conf),
        { type: 'tuning', sysctl: { 'kernel.x': '1' } },
      ],
    });

    await t.rejects(cni.add(broken, attachment), {
      message: /^Cannot attach container half \(eth0\) to network plain: plugin tuning failed: /,
      plugin: 'tuning',
    });

    t.same(await reserved(lab, 'plain'), []);
    t.notMatch(await lab.in('half', 'ip', '-o', 'link'), /eth0/);
  });

  t.test('says that the pool is full in the words of the plugin', async (t) => {
    const tiny = bridgeNetwork(lab, 'tiny', '100.64.9.0/30');
    const first = { containerId: 'one', ifName: 'eth0', netns: await lab.container('one') };
    const second = { containerId: 'two', ifName: 'eth0', netns: await lab.container('two') };
    await cni.add(tiny, first);

    await t.rejects(cni.add(tiny, second), {
      message: /two.*network tiny: plugin bridge failed: .*no IP addresses/,
    });

    await cni.del('tiny', first);
    t.same(await reserved(lab, 'tiny'), []);
  });

  t.test('gives a container one address of each family', async (t) => {
    const attachment = { containerId: 'dual', ifName: 'eth0', netns: await lab.container('dual') };
    const dual = bridgeNetwork(lab, 'dual', '100.64.10.0/24', { also: 'fd77:10::/64' });

    const { ips } = await cni.add(dual, attachment);

    t.match(ips, [{ address: '100.64.10.2/24' }, { address: 'fd77:10::2/64' }]);
    t.match(await lab.in('dual', 'ip', '-o', '-6', 'addr', 'show', 'eth0'), /fd77:10::2\/64/);
    await cni.del('dual', attachment);
  });

  t.test('attaches one container to two networks', async (t) => {
    const netns = await lab.container('both');
    const second = bridgeNetwork(lab, 'second', '100.64.11.0/24');
    await Promise.all([
      cni.add(plain(lab), { containerId: 'both', ifName: 'eth0', netns }),
      cni.add(second, { containerId: 'both', ifName: 'eth1', netns }),
    ]);

    t.match(await lab.in('both', 'ip', '-o', 'addr', 'show', 'eth1'), /100\.64\.11\.2/);

    for (const ifName of ['eth0', 'eth1']) await cni.del(undefined, { containerId: 'both', ifName, netns });
    t.same([...(await reserved(lab, 'plain')), ...(await reserved(lab, 'second'))], []);
  });

  t.test('collects the attachment of a container that nobody knows any more (R36)', async (t) => {
    const kept = { containerId: 'kept', ifName: 'eth0', netns: await lab.container('kept') };
    const lost = { containerId: 'forgotten', ifName: 'eth0', netns: await lab.container('forgotten') };
    for (const attachment of [kept, lost]) await cni.add(plain(lab), attachment);

    await cni.gc(plain(lab), [kept]);

    t.equal((await reserved(lab, 'plain')).length, 1);
    t.match(await cni.attachments(), [{ attachment: { containerId: 'kept' } }]);
    await cni.del('plain', kept);
  });

  t.test('frees the address that a killed process was about to give (R28, R47)', async (t) => {
    const attachment = {
      containerId: `killed-${process.pid}`,
      ifName: 'eth0',
      netns: await lab.container('killed'),
    };
    const hanging = { type: 'noop', noop: { ADD: { hang: true }, journal: join(lab.dir, 'journal') } };
    await writeFile(join(lab.dir, 'journal'), '');
    await installNoop(lab.dir, 'noop');
    const list = bridgeNetwork(lab, 'plain', '100.64.8.0/24', { chained: [hanging] });
    const options = {
      pluginDirs: [PLUGINS, lab.dir],
      cacheDir: join(lab.dir, 'cache-of-the-killed'),
      log: silentLog,
    };
    const setup = { ...options, prefix: lab.prefix, network: list.json, attachment };
    const victim = execa(process.execPath, [ATTACH_ONCE, JSON.stringify(setup)], { reject: false });
    await written(join(lab.dir, 'journal'));
    t.equal((await reserved(lab, 'plain')).length, 1);

    victim.kill('SIGKILL');
    await victim;
    const next = createCni({ ...options, exec: createProcessExec({ env: process.env, prefix: lab.prefix }) });
    const { detached } = await next.recover();

    t.equal(detached.length, 1);
    t.same(await reserved(lab, 'plain'), []);
    t.notMatch(await lab.in('killed', 'ip', '-o', 'link'), /eth0/);
  });

  t.test('brings the loopback interface up', async (t) => {
    const attachment = { containerId: 'lo', ifName: 'lo', netns: await lab.container('lo') };
    const loopback = networkOf({ cniVersion: '1.0.0', name: 'loopback', plugins: [{ type: 'loopback' }] });

    await cni.add(loopback, attachment);

    t.match(await lab.in('lo', 'ip', '-o', 'link', 'show', 'lo'), /LOOPBACK,UP/);
    await cni.del('loopback', attachment);
  });
});

type BridgeOptions = {
  /** A second subnet. */
  readonly also?: string;
  /** Plugins after the bridge. */
  readonly chained?: readonly JsonObject[];
};

function bridgeNetwork(lab: Lab, name: string, subnet: string, { also, chained = [] }: BridgeOptions = {}) {
  const ranges = [subnet, ...(also === undefined ? [] : [also])].map((range) => [{ subnet: range }]);
  const ipam = { type: 'host-local', dataDir: join(lab.dir, 'ipam'), ranges };
  const bridge = { type: 'bridge', bridge: `weir-${name}`, isGateway: true, ipam };
  return networkOf({ cniVersion: '1.0.0', name, plugins: [bridge, ...chained] });
}

function plain(lab: Lab) {
  return bridgeNetwork(lab, 'plain', '100.64.8.0/24');
}

function blue(lab: Lab) {
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return bridgeNetwork(lab, 'blue', '100.64.7.0/24', { chained: [portmap] });
}

/** Resolves when the file has content. */
async function written(path: string): Promise<void> {
  const controller = new AbortController();
  const changes = watch(path, { signal: controller.signal })[Symbol.asyncIterator]();
  let change = changes.next();
  while ((await readFile(path, 'utf8')) === '') {
    await change;
    change = changes.next();
  }
  change.catch(() => {});
  controller.abort();
}

async function reserved(lab: Lab, network = 'blue'): Promise<string[]> {
  const names = await readdir(join(lab.dir, 'ipam', network));
  return names.filter((name) => name.startsWith('100.'));
}
