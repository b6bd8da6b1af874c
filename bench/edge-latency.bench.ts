/**
 * How long requests wait at the edge and at HAProxy when each has 60 % of what the slower one can do: one core each, 64 connections, a
 * small GET by the clock. Rounds take turns, and the median of the rounds' p99 is compared.
 */
import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { haproxyProxy, hostName, type Peer, startBackend, weirProxy } from './edge-peers.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude, percentile } from './numbers.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 3);
const connections = 64;
const load = 0.6;
const bound = 1.5;
const [proxyCore, loadCore] = [0, 1];
const run = promisify(execFile);

await insideOwnNetwork(import.meta.url, async (folder) => {
  const running: Peer[] = [];
  try {
    running.push(await startBackend(folder, loadCore));
    const weir = await weirProxy(proxyCore);
    const haproxy = await haproxyProxy(folder, proxyCore);
    running.push(weir, haproxy);
    const able = [await capacity(weir), await capacity(haproxy)];
    const rate = Math.floor((Math.min(...able) * load) / connections);
    const waits = { weir: [] as number[], haproxy: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      waits.weir.push(await p99(weir, rate, folder));
      waits.haproxy.push(await p99(haproxy, rate, folder));
    }
    report(rate * connections, percentile(waits.weir, 0.5), percentile(waits.haproxy, 0.5));
  } finally {
    for (const proxy of running.reverse()) await proxy.stop();
  }
});

/** Requests a second, as many as go. */
async function capacity({ port, name }: Peer): Promise<number> {
  const { stdout } = await h2load(port, ['-D', '2', '--warm-up-time=1']);
  const rate = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(stdout)?.[1]);
  if (!(rate > 0)) throw new Error(`${name} answered nothing:\n${stdout}`);
  return rate;
}

/** Milliseconds. */
async function p99({ port, name }: Peer, rate: number, folder: string): Promise<number> {
  const file = `${folder}/${name}.log`;
  await rm(file, { force: true });
  const { stdout } = await h2load(port, [`--rps=${rate}`, '-D', String(seconds), `--log-file=${file}`]);
  if (!/ 0 failed, 0 errored, 0 timeout/.test(stdout)) throw new Error(`${name} failed requests:\n${stdout}`);
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return percentile(
    lines.map((line) => Number(line.split('\t')[2]) / 1_000),
    0.99,
  );
}

function h2load(port: number, how: readonly string[]) {
  const common = ['--h1', '-c', String(connections), `--connect-to=127.0.0.1:${port}`];
  return run('taskset', ['-c', String(loadCore), 'h2load', ...common, ...how, `http://${hostName(1)}/`]);
}

function report(rate: number, weir: number, haproxy: number): void {
  const ratio = weir / haproxy;
  console.log(
    `${rate} requests/s: p99 ${weir.toFixed(2)} ms through weir, ${haproxy.toFixed(2)} ms through haproxy: ${ratio.toFixed(2)} (bound ${bound})`,
  );
  conclude({ bench: 'edge-latency', rate, p99Ms: { weir, haproxy }, ratio, bound, ok: ratio <= bound });
}
