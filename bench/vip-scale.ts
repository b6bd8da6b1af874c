import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { VipAudit, VipBackend } from '../lb/vip/backend.ts';
import type { VipService } from '../lb/vip/table.ts';
import { percentile } from './numbers.ts';
import { type Audited, measureAudited } from './vip-audited.ts';
import { service, table } from './vip-services.ts';

export type Scale = {
  readonly services: number;
  readonly fullSyncMs: number;
  readonly changeP50Ms: number;
  readonly changeP99Ms: number;
  /** Of this process alone, its programs not counted. */
  readonly changeCpuMs: number;
  /** What all the services take: not the kernel's alone, other work of the machine moves it. */
  readonly kernelMiB: number;
  readonly processMiB: number;
  /** Of a TCP connection, 10 services in force, and all of them. */
  readonly firstPacketMs: { readonly few: number; readonly many: number };
  readonly audited: Audited;
};

/** What a change costs, and a first packet, when there are many services with all these backends each. */
export async function measureScale(
  backend: VipBackend & VipAudit,
  {
    backends,
    services,
    changes,
  }: { readonly backends: readonly string[]; readonly services: number; readonly changes: number },
): Promise<Scale> {
  const all = Array.from({ length: services }, (_, n) => service(n, backends));
  await backend.apply(table(all.slice(0, 10)));
  const few = await connectMs(all.slice(0, 10));
  await backend.stop({ remove: true });
  const [kernelBefore, processBefore] = [kernelMiB(), process.memoryUsage().rss / 2 ** 20];
  const [fullSyncMs] = await timed(() => backend.apply(table(all)));
  const [kernelAfter, processAfter] = [kernelMiB(), process.memoryUsage().rss / 2 ** 20];
  const many = await connectMs(all);
  const times: number[] = [];
  let cpu = 0;
  for (let change = 0; change < changes; change++) {
    const at = (change * 997) % services;
    // A backend leaves, then another comes: what a deployment does.
    all[at] = service(at, all[at]!.backends.length === backends.length ? backends.slice(1) : backends);
    const next = table(all);
    const before = process.cpuUsage();
    times.push((await timed(() => backend.apply(next)))[0]);
    const { user, system } = process.cpuUsage(before);
    cpu += (user + system) / 1_000;
  }
  const audited = await measureAudited(backend, { all, backends, changes });
  return {
    services,
    fullSyncMs,
    changeP50Ms: percentile(times, 0.5),
    changeP99Ms: percentile(times, 0.99),
    changeCpuMs: cpu / changes,
    kernelMiB: Math.round(kernelAfter - kernelBefore),
    processMiB: Math.round(processAfter - processBefore),
    firstPacketMs: { few, many },
    audited,
  };
}

/** Below the programs at the socket nobody: what is measured then is theirs alone. */
export const nobody: VipBackend & VipAudit = {
  kind: 'nobody',
  start: async () => {},
  apply: async () => [],
  connections: async () => new Map(),
  counters: async () => new Map(),
  audit: async () => [],
  stop: async () => {},
};

/** What the kernel holds and cannot give back, MiB. */
function kernelMiB(): number {
  const text = readFileSync('/proc/meminfo', 'utf8');
  const kilobytes = ['SUnreclaim', 'VmallocUsed', 'Percpu'].map((name) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0),
  );
  return kilobytes.reduce((sum, each) => sum + each, 0) / 1024;
}

/** Median time of a TCP handshake, over connections spread over the services. */
async function connectMs(services: readonly VipService[]): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 1_000; n++) {
    const { address, port } = services[(n * 7_919) % services.length]!;
    const started = performance.now();
    const socket = connect({ host: address, port });
    await once(socket, 'connect');
    times.push(performance.now() - started);
    socket.resetAndDestroy();
    await once(socket, 'close');
  }
  return percentile(times.slice(100), 0.5);
}

async function timed<T>(run: () => Promise<T>): Promise<readonly [number, T]> {
  const started = performance.now();
  const result = await run();
  return [performance.now() - started, result];
}
