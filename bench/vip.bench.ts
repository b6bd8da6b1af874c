/**
 * Virtual IPs against the same backend addressed directly, in the same run: kept connections, new connections while direct
 * and VIP traffic alternate between the same hosts, UDP; from a process of the host and from a container. Then 10,000
 * services of ten backends each: what a change costs, a full sync, and the first packet.
 *
 * The verdict is on CPU per answer, which a busy machine hardly changes, and on segments sent again, each of which is a
 * connection that stood still; rates are shown beside them.
 */
import { spawnSync } from 'node:child_process';
import { createLog } from '../core/kit/log.ts';
import { NftablesVips } from '../lb/vip/backends/nftables/nftables.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude, milliseconds } from './numbers.ts';
import { type Hosts, type Place, ports, startHosts } from './vip-hosts.ts';
import { compare, datagrams, keepAlive, newConnections, type Ratios, ratios } from './vip-load.ts';
import { measureScale, type Scale, table } from './vip-scale.ts';

const rounds = Number(process.argv[2] ?? 3);
const services = Number(process.argv[3] ?? 10_000);
const ranges = ['100.100.0.0/16'];
const vip = '100.100.200.1';
const bound = {
  keepAlive: 0.98,
  newConnections: 0.8,
  datagrams: 0.95,
  againPerThousand: 1,
  changeP99Ms: 20,
  fullSyncMs: 10_000,
  firstPacket: 1.3,
};
const loads = { keepAlive, newConnections, datagrams };
type Measured = Readonly<Record<keyof typeof loads, Ratios>>;

await insideOwnNetwork(import.meta.url, async (folder) => {
  for (const program of ['nft', 'nginx', 'wrk', 'knotd', 'dnsperf', 'nstat'])
    if (spawnSync(program, ['--version']).error !== undefined) throw new Error(`this bench needs ${program}`);
  const backend = new NftablesVips({ log: createLog({ level: 'warn' }) }, { ranges });
  const hosts = await startHosts(folder);
  try {
    await backend.apply(served(hosts));
    const host = await measurePaths(hosts, 'host');
    const client = await measurePaths(hosts, 'client');
    await backend.stop({ remove: true });
    const scale = await measureScale(backend, { backends: hosts.backends, services, changes: 100 });
    report({ host, client, scale });
  } finally {
    await hosts.close();
  }
});

function served(hosts: Hosts) {
  const target = (port: number) => [{ instanceId: 'one', address: hosts.backends[0] ?? '', port }];
  return table([
    { protocol: 'tcp', address: vip, port: ports.http, backends: target(ports.http) },
    { protocol: 'udp', address: vip, port: ports.dns, backends: target(ports.dns) },
  ]);
}

async function measurePaths(hosts: Hosts, from: Place): Promise<Measured> {
  const measured = async (name: keyof typeof loads) => {
    const comparison = await compare(hosts, loads[name], { from, vip, rounds });
    const ratio = ratios(comparison);
    console.log(
      `${from.padEnd(6)} ${name.padEnd(14)} CPU ${ratio.cpu.toFixed(3)}, rate ${ratio.rate.toFixed(3)} of direct, sent again ${ratio.again.toFixed(2)} in 1,000`,
    );
    return ratio;
  };
  return {
    keepAlive: await measured('keepAlive'),
    newConnections: await measured('newConnections'),
    datagrams: await measured('datagrams'),
  };
}

function report({ host, client, scale }: { host: Measured; client: Measured; scale: Scale }): void {
  const { few, many } = scale.firstPacketMs;
  console.log(
    `${scale.services} services × 10: full sync ${milliseconds(scale.fullSyncMs)}, one change p50 ${milliseconds(scale.changeP50Ms)}, p99 ${milliseconds(scale.changeP99Ms)}`,
  );
  console.log(
    `first packet: ${few.toFixed(3)} ms with 10 services, ${many.toFixed(3)} ms with ${scale.services}`,
  );
  const missed = [
    ...missedBy('host', host),
    ...missedBy('client', client),
    ...(scale.changeP99Ms > bound.changeP99Ms ? ['changeP99Ms'] : []),
    ...(scale.fullSyncMs > bound.fullSyncMs ? ['fullSyncMs'] : []),
    ...(many / few > bound.firstPacket ? ['firstPacket'] : []),
  ];
  conclude({
    bench: 'vip',
    backend: 'nftables',
    host,
    client,
    scale,
    bound,
    missed,
    ok: missed.length === 0,
  });
}

function missedBy(from: Place, measured: Measured): readonly string[] {
  const names = ['keepAlive', 'newConnections', 'datagrams'] as const;
  const slow = names.filter((name) => measured[name].cpu < bound[name]);
  const stalled = measured.newConnections.again > bound.againPerThousand ? ['stalled'] : [];
  return [...slow, ...stalled].map((name) => `${from}.${name}`);
}
