/**
 * A new route until the first 200 through it, at an edge with 10,000 hosts that takes 100 other route changes a second; against
 * the time of one request on a route that is already there, the least it can take.
 */
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { applyDelta, type Directory, type DirectoryDelta } from '../core/model/directory.ts';
import type { EdgeConsumer } from '../lb/edge/consumer.ts';
import {
  benchRoute,
  cpuMs,
  directoryOfHosts,
  hostName,
  ports,
  startBackend,
  weirProxy,
} from './edge-peers.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude, milliseconds, percentile } from './numbers.ts';

const probes = Number(process.argv[2] ?? 100);
const changesPerSecond = 100;
const bounds = { p99Ms: 50, memoryMiB: 150 };

await insideOwnNetwork(import.meta.url, async (folder) => {
  const backend = await startBackend(folder, 1);
  const weir = await weirProxy(0);
  try {
    const [cpuBefore, startedAt] = [cpuMs(weir.pid), performance.now()];
    const times = await probeWhileChanging(weir.edge);
    const cpuShare = (cpuMs(weir.pid) - cpuBefore) / (performance.now() - startedAt);
    const plain = await timesOf(20, () => answered(hostName(1)));
    const memoryMiB = ((await weir.edge.reports())[0]?.memory ?? 0) / 2 ** 20;
    const [p50, p99, least] = [percentile(times, 0.5), percentile(times, 0.99), percentile(plain, 0.5)];
    console.log(
      `${probes} new routes to their first 200: p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)} (bound ${bounds.p99Ms} ms); one request: ${milliseconds(least)}`,
    );
    console.log(
      `worker: ${memoryMiB.toFixed(0)} MiB (bound ${bounds.memoryMiB}), ${(cpuShare * 100).toFixed(0)} % of a core for ${changesPerSecond} changes/s`,
    );
    const ok = p99 <= bounds.p99Ms && memoryMiB <= bounds.memoryMiB;
    conclude({
      bench: 'edge-routes',
      p50Ms: p50,
      p99Ms: p99,
      ratio: p99 / least,
      memoryMiB,
      cpuShare,
      bounds,
      ok,
    });
  } finally {
    await weir.stop();
    await backend.stop();
  }
});

/** Changes go out by the clock; every tenth is a new route that is asked for at once. */
async function probeWhileChanging(edge: EdgeConsumer): Promise<readonly number[]> {
  let directory: Directory = directoryOfHosts();
  const apply = (delta: Pick<DirectoryDelta, 'routes'>) => {
    const whole = { from: directory.revision, revision: directory.revision + 1, ...delta };
    directory = applyDelta(directory, whole);
    return edge.apply(directory, whole);
  };
  const waiting: Promise<number>[] = [];
  const times: number[] = [];
  const startedAt = performance.now();
  for (let change = 0; times.length + waiting.length < probes; change++) {
    const due = startedAt + (change * 1000) / changesPerSecond;
    await delay(Math.max(0, due - performance.now()));
    if (change % 10 !== 0) {
      void apply({ routes: { set: [{ ...benchRoute(change), owner: `change:${change}` }], gone: [] } });
      continue;
    }
    const host = `new${change}.bench.example`;
    const sentAt = performance.now();
    void apply({ routes: { set: [{ ...benchRoute(0), id: host, host }], gone: [] } });
    waiting.push(answered(host).then(() => performance.now() - sentAt));
  }
  return [...times, ...(await Promise.all(waiting))];
}

async function timesOf(count: number, action: () => Promise<void>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const startedAt = performance.now();
    await action();
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Resolves with the first 200. */
async function answered(host: string): Promise<void> {
  while ((await status(host)) !== 200);
}

function status(host: string): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  const call = request({ host: '127.0.0.1', port: ports.weir, headers: { host } }, (response) => {
    response.resume();
    response.on('end', () => resolve(response.statusCode));
  });
  call.on('error', reject);
  call.end();
  return promise;
}
