import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { Lease, Network } from '../core/model/network.ts';
import { assignLease } from './assign.ts';
import type { ReadyState } from './attach.ts';
import type { Attached, OverlayHost } from './host.ts';
import { observe } from './observe.ts';
import { openCluster, type TestCluster } from './testing/cluster.ts';
import type { TestHost } from './testing/hosts.ts';
import { call, connect, serve, transfer } from './testing/talk.ts';

const skip = skipReason();

function skipReason(): string | false {
  if (process.getuid?.() !== 0) return 'needs root';
  return existsSync('/usr/lib/cni/bridge') ? false : 'needs the package containernetworking-plugins';
}

const weir: Network = {
  name: 'weir',
  cidr: '100.64.0.0/16',
  agentPrefix: 24,
  backend: 'vxlan',
  vni: 1,
  port: 4789,
  egress: 'none',
};
const open: Network = { ...weir, name: 'open', cidr: '100.65.0.0/16', vni: 2, egress: 'masquerade' };

type Container = Attached & { readonly netns: string };

t.test('the overlay over three hosts', { skip }, async (t) => {
  const cluster = await openCluster(3);
  t.teardown(() => cluster.close());
  const [h1, h2, h3] = cluster.hosts as [TestHost, TestHost, TestHost];
  const [o1, o2, o3] = cluster.overlays as [OverlayHost, OverlayHost, OverlayHost];
  cluster.publish([weir, open], leasesFor([h1, h2, h3]));

  await everyHostKnowsAll(cluster);
  const a = await containerOn(h1, o1)('a');
  const b = await containerOn(h2, o2)('b');
  const c = await containerOn(h3, o3)('c');
  const outside = await outsideWorld(cluster);
  const servers = await Promise.all([
    serve(b.netns, b.ip),
    serve(c.netns, c.ip),
    serve(netnsOf(h2), h2.address),
    serve(outside.netns, outside.ip),
  ]);
  t.teardown(() => Promise.all(servers.map((server) => server.end())));

  t.test("containers of different hosts talk and see each other's own address", async (t) => {
    t.equal(await call(a.netns, b.ip), a.ip);
    t.equal(await call(b.netns, c.ip), b.ip);
    t.equal(await call(netnsOf(h1), c.ip), '100.64.0.0', 'a host speaks with its tunnel address');
    t.equal(await call(netnsOf(h2), b.ip), '100.64.1.1', 'or, on its own bridge, with the gateway');
  });

  t.test('large packets pass whole', async (t) => {
    t.equal(a.mtu, 1450);
    const link = JSON.parse((await cluster.inside(a.netns, ['ip', '-json', 'link', 'show', 'eth0'])).stdout);
    t.equal(link[0].mtu, 1450);
    t.equal(await transfer(a.netns, c.ip, 3_000_000), '3000000');
  });

  t.test('an address nobody serves fails at once', async (t) => {
    t.equal(await call(a.netns, '100.64.200.9'), 'EHOSTUNREACH');
    t.equal(await call(netnsOf(h1), '100.64.200.9'), 'EHOSTUNREACH');
  });

  t.test('egress none refuses at once, masquerade hides behind the agent', async (t) => {
    const d = await containerOn(h1, o1)('d', 'open');
    t.equal(await call(a.netns, outside.ip), 'ECONNREFUSED');
    t.equal(await call(d.netns, outside.ip), h1.address);
    t.equal(await call(a.netns, h2.address), h1.address, 'agents are inside');
    t.equal(
      await call(d.netns, b.ip),
      d.ip,
      'networks of the cluster reach each other with their own address',
    );
  });

  t.test('a container reaches itself and its neighbour by an address that leads to them', async (t) => {
    const e = await containerOn(h2, o2)('e');
    const own = await serve(e.netns, e.ip);
    await h2.tools.run(['nft', '-f', '-'], { input: virtual({ '100.99.0.1': b.ip, '100.99.0.2': e.ip }) });
    t.equal(await call(e.netns, '100.99.0.1', 80), e.ip, 'its neighbour on the same bridge');
    t.equal(await call(e.netns, '100.99.0.2', 80), '100.64.1.1', 'itself, hidden behind the gateway');
    await h2.tools.run(['nft', 'delete', 'table', 'ip', 'weir_t']);
    await own.end();
  });

  t.test('a container in two networks has two interfaces and one default route', async (t) => {
    const f = await containerOn(h3, o3)('f', 'weir');
    const second = await o3.attach({ instanceId: 'f', network: 'open', ifName: 'eth1', netns: f.netns });
    const routes = JSON.parse((await cluster.inside(f.netns, ['ip', '-json', 'route'])).stdout);
    t.match(routes[0], { dst: 'default', dev: 'eth0', gateway: '100.64.2.1' });
    t.equal(routes.filter(({ dst }: { dst: string }) => dst === 'default').length, 1);
    t.match(
      routes.find(({ dst }: { dst: string }) => dst === '100.65.0.0/16'),
      { dev: 'eth1' },
    );
    const both = await serve(f.netns, '0.0.0.0');
    t.equal(await call(a.netns, f.ip), a.ip);
    t.equal(await call(a.netns, second.ip), a.ip, 'answers by the default route whatever asked');
    await both.end();
  });

  t.test('an agent that starts again, without a master, adopts all and cuts nothing', async (t) => {
    const stream = connect(a.netns, b.ip);
    await stream.line();
    const before = await observe(h1.tools, 'weirx-weir');
    await o1.stop();

    const again = cluster.again(h1);
    t.teardown(() => again.stop());
    await again.start();
    const state = await again.ready('weir');

    t.same(
      { gateway: state.gateway, mtu: state.mtu, peers: state.peers },
      { gateway: '100.64.0.1', mtu: 1450, peers: 2 },
    );
    t.same(await observe(h1.tools, 'weirx-weir'), before, 'nothing was touched');
    const repeated = await again.attach({ instanceId: 'a', network: 'weir', ifName: 'eth0', netns: a.netns });
    t.same({ ...repeated, netns: a.netns }, a);
    await again.recover([
      { instanceId: 'a', network: 'weir', ifName: 'eth0' },
      { instanceId: 'd', network: 'open', ifName: 'eth0' },
    ]);
    stream.say('still here');
    t.equal(await stream.line(), 'still here');
    await stream.end();
    await again.stop();
    await o1.start();
  });

  t.test('what is changed by hand is put right', async (t) => {
    const tunnel = 'weirx-weir';
    const hop =
      cluster.leases().find(({ agentId, network }) => agentId === 'h2' && network === 'weir')?.tunnelMac ??
      '';
    const damages: readonly (readonly [string, ...string[]])[] = [
      ['ip', 'route', 'del', '100.64.1.0/24'],
      ['bridge', 'fdb', 'del', hop, 'dev', tunnel, 'dst', h2.address, 'self'],
      ['ip', 'neigh', 'del', '100.64.1.0', 'dev', tunnel],
      ['ip', 'addr', 'flush', 'dev', 'weirb-weir'],
      ['ip', 'link', 'del', tunnel],
      ['ip', 'link', 'set', tunnel, 'down'],
      ['nft', 'delete', 'table', 'ip', 'weir_net_weir'],
      ['nft', 'flush', 'chain', 'ip', 'weir_net_weir', 'refuse'],
      ['sh', '-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward'],
    ];
    for (const damage of damages) {
      const repaired = repairs(o1, 'weir');
      const { exitCode, stderr } = await h1.tools.run(damage);
      t.equal(exitCode, 0, `${damage.join(' ')} ${stderr}`);
      await repaired;
      t.ok((await o1.inspect('weir')).ready);
      t.equal(await call(a.netns, b.ip), a.ip);
    }
    t.equal(await call(a.netns, outside.ip), 'ECONNREFUSED');
  });

  t.test('a peer that leaves is no longer reached, and others still are', async (t) => {
    const all = cluster.leases();
    await o3.stop();
    cluster.publish(
      [weir, open],
      all.filter(({ agentId }) => agentId !== 'h3'),
    );
    await stateOf(o1, 'weir', ({ peers }) => peers === 1);
    t.equal(await call(a.netns, c.ip), 'EHOSTUNREACH');
    t.equal(await call(a.netns, b.ip), a.ip);
    cluster.publish([weir, open], all);
    await stateOf(o1, 'weir', ({ peers }) => peers === 2);
    t.equal(await call(a.netns, c.ip), a.ip);
  });

  t.test('a network that is not wanted any more goes when its last container has gone', async (t) => {
    await o1.recover([{ instanceId: 'a', network: 'weir', ifName: 'eth0' }]);
    t.same(await readdir(join(h1.dir, 'ipam', 'open')).then(addressesIn), [], 'no address is left behind');
    cluster.publish([weir]);
    for (const host of [h1, h2]) await tableGone(host, 'weir_net_open');
    const { links, routes } = await observe(h1.tools);
    t.same(
      links.map(({ name }) => name).filter((name) => name.endsWith('-open')),
      [],
    );
    t.same(
      routes.filter(({ to }) => to.startsWith('100.65.')),
      [],
    );
    t.equal(await call(a.netns, b.ip), a.ip);
  });

  t.test('host ports lead to the container from outside, also with egress none', async (t) => {
    const portMappings = [{ hostPort: 8055, containerPort: 7000, protocol: 'tcp' }];
    const netns = await h1.container('g');
    const g = await o1.attach({
      instanceId: 'g',
      network: 'weir',
      ifName: 'eth0',
      netns,
      capabilityArgs: { portMappings },
    });
    const server = await serve(netns, g.ip);
    t.equal(await call(outside.netns, h1.address, 8055), outside.gateway);
    await o1.detach({ instanceId: 'g', network: 'weir', ifName: 'eth0', netns });
    await o1.detach({ instanceId: 'g', network: 'weir', ifName: 'eth0' });
    t.equal(await call(outside.netns, h1.address, 8055), 'ECONNREFUSED');
    await server.end();
  });
});

function containerOn(host: TestHost, overlay: OverlayHost) {
  return async (instanceId: string, network = 'weir'): Promise<Container> => {
    const netns = await host.container(instanceId);
    return { ...(await overlay.attach({ instanceId, network, ifName: 'eth0', netns })), netns };
  };
}

/** In the order of the hosts, so that the addresses of the test are known. */
function leasesFor(hosts: readonly TestHost[]): readonly Lease[] {
  const networks = [weir, open];
  const leases: Lease[] = [];
  for (const network of networks) {
    for (const { name, address } of hosts)
      leases.push(assignLease({ networks, leases }, { id: name, address }, network.name));
  }
  return leases;
}

async function everyHostKnowsAll({ overlays }: TestCluster): Promise<void> {
  for (const overlay of overlays) {
    for (const network of ['weir', 'open']) await stateOf(overlay, network, ({ peers }) => peers === 2);
  }
}

/** A machine beyond the hosts' router, which knows nothing of containers. */
async function outsideWorld({ hosts, ethernet, inside }: TestCluster) {
  const gateway = '100.127.0.254';
  const ip = '100.126.0.1';
  await inside(ethernet, ['ip', 'addr', 'add', `${gateway}/24`, 'dev', 'weirbr0']);
  await inside(ethernet, ['ip', 'addr', 'add', `${ip}/32`, 'dev', 'lo']);
  for (const { tools } of hosts) await tools.run(['ip', 'route', 'add', 'default', 'via', gateway]);
  return { ip, gateway, netns: ethernet };
}

/** Virtual addresses as the VIP table makes them: translated, and hidden when a container calls itself. */
function virtual(targets: Readonly<Record<string, string>>): string {
  const all = Object.entries(targets);
  const to = all.map(([vip, ip]) => `ip daddr ${vip} tcp dport 80 dnat to ${ip}:7000;`).join(' ');
  const self = all.map(([, ip]) => `ip saddr ${ip} ip daddr ${ip} masquerade;`).join(' ');
  return `table ip weir_t {
    chain before { type nat hook prerouting priority dstnat; ${to} }
    chain after { type nat hook postrouting priority srcnat; ${self} }
  }`;
}

/** Resolves when the network is ready on the host and as `accept` wants it. */
function stateOf(
  overlay: OverlayHost,
  network: string,
  accept: (state: ReadyState) => boolean,
): Promise<void> {
  const isThere = () =>
    overlay
      .status()
      .some((state) => state.network.name === network && state.kind === 'ready' && accept(state));
  if (isThere()) return Promise.resolve();
  return new Promise((resolve) => {
    const end = overlay.subscribe(() => {
      if (!isThere()) return;
      end();
      resolve();
    });
  });
}

/** Resolves when the host has repaired the network once more than now. */
function repairs(overlay: OverlayHost, network: string): Promise<void> {
  const now = overlay.status().find((state) => state.network.name === network);
  const repaired = now?.kind === 'ready' ? now.repaired : 0;
  return stateOf(overlay, network, (state) => state.repaired > repaired);
}

/** The packet filter is the last thing of a network to go. */
async function tableGone({ tools }: TestHost, table: string): Promise<void> {
  while ((await tools.run(['nft', 'list', 'table', 'ip', table])).exitCode === 0);
}

function addressesIn(files: readonly string[]): readonly string[] {
  return files.filter((file) => /^\d/.test(file));
}

function netnsOf({ prefix }: TestHost): string {
  return prefix[1]?.slice('--net='.length) ?? '';
}
