/**
 * What two workers can do against one. This machine has no core to spare for the load, so it is reckoned from CPU time: a request's whole
 * cost with one worker, and with two the cost that the busier one bears of it, since the one that is full first is the limit.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { systemClock } from '../core/kit/clock.ts';
import { createLog } from '../core/kit/log.ts';
import { EdgeConsumer } from '../lb/edge/consumer.ts';
import { cpuMs, directoryOfHosts, hostName, ports, startBackend } from './edge-peers.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 3);
const bound = 1.8;
const [proxyCore, loadCore] = [0, 1];
const run = promisify(execFile);

await insideOwnNetwork(import.meta.url, async (folder) => {
  const backend = await startBackend(folder, loadCore);
  const edges = { one: await edge(1, ports.weir), two: await edge(2, ports.haproxy) };
  try {
    const best = { one: Number.POSITIVE_INFINITY, two: Number.POSITIVE_INFINITY };
    for (let round = 0; round < rounds; round++) {
      best.one = Math.min(best.one, await busiestCost(edges.one, ports.weir));
      best.two = Math.min(best.two, await busiestCost(edges.two, ports.haproxy));
    }
    const ratio = best.one / best.two;
    console.log(
      `one worker ${best.one.toFixed(1)}, the busier of two ${best.two.toFixed(1)} µs of CPU a request: two can do ${ratio.toFixed(2)} of one (bound ${bound})`,
    );
    conclude({ bench: 'edge-workers', microseconds: best, ratio, bound, ok: ratio >= bound });
  } finally {
    await edges.two.stop();
    await edges.one.stop();
    await backend.stop();
  }
});

async function edge(workers: number, httpPort: number): Promise<EdgeConsumer> {
  const certificate = () => Promise.reject(new Error('no certificate in this bench'));
  const edge = new EdgeConsumer({ clock: systemClock, log: createLog(), certificate }, { httpPort, workers });
  await edge.start();
  await edge.apply(directoryOfHosts());
  for (const pid of edge.pids) {
    const pinned = spawn('taskset', ['-a', '-c', '-p', String(proxyCore), String(pid)], { stdio: 'ignore' });
    await once(pinned, 'exit');
  }
  return edge;
}

/** Microseconds of the busiest worker's CPU for each request of all workers. */
async function busiestCost(edge: EdgeConsumer, port: number): Promise<number> {
  const before = edge.pids.map(cpuMs);
  const { stdout } = await run('taskset', [
    ...['-c', String(loadCore), 'wrk', '-t1', '-c64', `-d${seconds}s`, '-H', `Host: ${hostName(1)}`],
    `http://127.0.0.1:${port}/`,
  ]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`requests failed:\n${stdout}`);
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1]);
  const used = edge.pids.map((pid, n) => cpuMs(pid) - before[n]!);
  return (Math.max(...used) * 1_000) / requests;
}
