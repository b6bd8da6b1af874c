/**
 * Virtual IPs against the same backend addressed directly, in the same run: kept connections, new connections while direct
 * and VIP traffic alternate between the same hosts, UDP; from a process of the host and from a container; at the socket
 * (ebpf) and in nftables. Then 10,000 services of ten backends each: what a change costs, a full sync, and the first packet.
 *
 * The verdict is on CPU per answer, which a busy machine changes less than rates, and on segments sent again, each of which
 * is a connection that stood still. Each ratio is the median of rounds and stands beside one of direct to direct: on a
 * machine that others use that is off by a tenth as well, and then the numbers say nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { systemClock } from '../core/kit/clock.ts';
import { createLog } from '../core/kit/log.ts';
import type { VipAudit, VipBackend } from '../lb/vip/backend.ts';
import { EbpfVips } from '../lb/vip/backends/ebpf/ebpf.ts';
import { NftablesVips } from '../lb/vip/backends/nftables/nftables.ts';
import { cgroupRoot, socketPrograms } from '../lb/vip/socket-programs.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude, milliseconds } from './numbers.ts';
import { type Hosts, type Place, ports, startHosts } from './vip-hosts.ts';
import { compare, datagrams, keepAlive, newConnections, type Ratios, ratios } from './vip-load.ts';
import { measureScale, nobody, type Scale } from './vip-scale.ts';
import { table } from './vip-services.ts';

const rounds = Number(process.argv[2] ?? 7);
const services = Number(process.argv[3] ?? 10_000);
/** Only this backend: `ebpf` or `nftables`; default both. */
const only = process.argv[4];
const ranges = ['100.100.0.0/16'];
const vip = '100.100.200.1';
const scaleBound = { changeP99Ms: 20, auditedP99Ms: 20, fullSyncMs: 10_000, firstPacket: 1.3 };
const againPerThousand = 1;
const changes = 300;
const loads = { keepAlive, newConnections, datagrams };
type Loads<T> = Readonly<Record<keyof typeof loads, T>>;
type Measured = Loads<Ratios>;
/** nftables translates each packet of a kept connection; its share of the smallest request is what it is. */
const bounds: Readonly<Record<'ebpf' | 'nftables', Loads<number>>> = {
  ebpf: { keepAlive: 0.98, newConnections: 0.95, datagrams: 0.95 },
  nftables: { keepAlive: 0.88, newConnections: 0.8, datagrams: 0.95 },
};
type Result = { readonly host: Measured; readonly client: Measured; readonly scale: Scale };

await insideOwnNetwork(import.meta.url, async (folder) => {
  for (const program of ['nft', 'nginx', 'wrk', 'knotd', 'dnsperf', 'nstat'])
    if (spawnSync(program, ['--version']).error !== undefined) throw new Error(`this bench needs ${program}`);
  const group = `weir-bench-${process.pid}`;
  const path = `${await cgroupRoot()}/${group}`;
  mkdirSync(path);
  const hosts = await startHosts(folder, path);
  const log = createLog({ level: 'warn' });
  const kernel = () => new NftablesVips({ log, clock: systemClock }, { ranges });
  const over = (below: VipBackend & VipAudit) =>
    new EbpfVips({ log, kernel: below }, { object: socketPrograms, containers: [group] });
  const [nftables, ebpf, sockets] = [kernel(), over(kernel()), over(nobody)];
  try {
    const results = {
      ...(only === 'nftables'
        ? {}
        : { ebpf: await measure(hosts, ebpf), atSocket: await alone(hosts, sockets) }),
      ...(only === 'ebpf' ? {} : { nftables: await measure(hosts, nftables) }),
    };
    report(results);
  } finally {
    await ebpf.stop({ remove: true });
    await hosts.close();
    try {
      rmdirSync(path);
    } catch {
      // The backend took it away with its programs.
    }
  }
});

async function measure(hosts: Hosts, backend: VipBackend & VipAudit): Promise<Result> {
  console.log(`${backend.kind}:`);
  await backend.apply(served(hosts));
  const host = await measurePaths(hosts, 'host');
  const client = await measurePaths(hosts, 'client');
  await backend.stop({ remove: true });
  const scale = await measureScale(backend, { backends: hosts.backends, services, changes });
  await backend.stop({ remove: true });
  show(scale);
  return { host, client, scale };
}

/** When the programs at the socket have a change: they do not wait for nftables, which has it too when `apply` resolves. */
async function alone({ backends }: Hosts, backend: VipBackend & VipAudit): Promise<Scale> {
  console.log('ebpf without nftables below it:');
  const scale = await measureScale(backend, { backends, services, changes });
  await backend.stop({ remove: true });
  show(scale);
  return scale;
}

function served(hosts: Hosts) {
  const target = (port: number) => [{ instanceId: 'one', address: hosts.backends[0] ?? '', port }];
  return table([
    { protocol: 'tcp', address: vip, port: ports.http, backends: target(ports.http) },
    { protocol: 'udp', address: vip, port: ports.dns, backends: target(ports.dns) },
  ]);
}

async function measurePaths(hosts: Hosts, from: Place): Promise<Measured> {
  const measured = async (name: keyof typeof loads) => {
    const ratio = ratios(await compare(hosts, loads[name], { from, vip, rounds }));
    console.log(
      `  ${from.padEnd(6)} ${name.padEnd(14)} CPU ${ratio.cpu.toFixed(3)}, rate ${ratio.rate.toFixed(3)} of direct (CPU of direct to direct ${ratio.noise.toFixed(3)}), sent again ${ratio.again.toFixed(2)} in 1,000`,
    );
    return ratio;
  };
  return {
    keepAlive: await measured('keepAlive'),
    newConnections: await measured('newConnections'),
    datagrams: await measured('datagrams'),
  };
}

function show(scale: Scale): void {
  const { few, many } = scale.firstPacketMs;
  const { changeP99Ms, audits, auditMs } = scale.audited;
  console.log(
    `  ${scale.services} services × 10: full sync ${milliseconds(scale.fullSyncMs)}, one change p50 ${milliseconds(scale.changeP50Ms)}, p99 ${milliseconds(scale.changeP99Ms)}, CPU of this process ${milliseconds(scale.changeCpuMs)}`,
  );
  console.log(
    `  first packet: ${few.toFixed(3)} ms with 10 services, ${many.toFixed(3)} ms with ${scale.services}; memory: ${scale.kernelMiB} MiB in the kernel, ${scale.processMiB} MiB in this process`,
  );
  console.log(
    `  20 changes a second beside ${audits} audits: p99 ${milliseconds(changeP99Ms)}, the longest audit ${milliseconds(auditMs)}`,
  );
}

function report(results: Readonly<Partial<Record<'ebpf' | 'nftables', Result>>>): void {
  const missed = (['ebpf', 'nftables'] as const).flatMap((backend) => {
    const result = results[backend];
    return result === undefined ? [] : missedBy(backend, result).map((name) => `${backend}.${name}`);
  });
  conclude({
    bench: 'vip',
    ...results,
    bounds,
    scaleBound,
    missed,
    ok: missed.length === 0,
  });
}

function missedBy(backend: 'ebpf' | 'nftables', { host, client, scale }: Result): readonly string[] {
  const { few, many } = scale.firstPacketMs;
  return [
    ...missedPaths('host', host, bounds[backend]),
    ...missedPaths('client', client, bounds[backend]),
    ...(scale.changeP99Ms > scaleBound.changeP99Ms ? ['changeP99Ms'] : []),
    ...(scale.audited.changeP99Ms > scaleBound.auditedP99Ms ? ['auditedP99Ms'] : []),
    ...(scale.fullSyncMs > scaleBound.fullSyncMs ? ['fullSyncMs'] : []),
    ...(many / few > scaleBound.firstPacket ? ['firstPacket'] : []),
  ];
}

function missedPaths(from: Place, measured: Measured, bound: Loads<number>): readonly string[] {
  const names = ['keepAlive', 'newConnections', 'datagrams'] as const;
  const slow = names.filter((name) => measured[name].cpu < bound[name]);
  const stalled = measured.newConnections.again > againPerThousand ? ['stalled'] : [];
  return [...slow, ...stalled].map((name) => `${from}.${name}`);
}
