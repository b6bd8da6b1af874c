/**
 * CPU of the edge's worker per proxied request, beside nginx, HAProxy, Caddy and http-proxy in the same run: one core each, the load and the
 * backend on the other, 64 kept connections, a small GET over a thousand of 10,000 hosts. CPU time is counted, not the clock; all take
 * short turns, and the median of the rounds' ratios is the verdict, so that other work on the machine falls on all alike.
 */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { caddyProxy, httpProxy } from './edge-other-peers.ts';
import {
  cpuMs,
  haproxyProxy,
  hostCount,
  hostName,
  nginxProxy,
  type Peer,
  startBackend,
  weirProxy,
} from './edge-peers.ts';
import { inTurns, median, ratioOf, type Turns } from './in-turns.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';

const rounds = Number(process.argv[2] ?? 15);
const seconds = Number(process.argv[3] ?? 1);
/** `near`: only nginx and HAProxy. */
const all = process.argv[4] !== 'near';
const bounds = { nginx: 1.1, haproxy: 0.95, ...(all && { caddy: 0.15, 'http-proxy': 0.1 }) };
const memoryBound = 150;
const [proxyCore, loadCore] = [0, 1];
const run = promisify(execFile);

await insideOwnNetwork(import.meta.url, async (folder) => {
  const running: Peer[] = [];
  try {
    running.push(await startBackend(folder, loadCore));
    const weir = await weirProxy(proxyCore);
    const nginx = await nginxProxy(folder, proxyCore);
    const haproxy = await haproxyProxy(folder, proxyCore);
    const far = all ? [await caddyProxy(folder, proxyCore), await httpProxy(proxyCore)] : [];
    running.push(weir, nginx, haproxy, ...far);
    const script = await loadScript(folder);
    const cost = (proxy: Peer) => microseconds(proxy, script);
    const near = await inTurns([nginx, weir, haproxy], rounds, cost);
    const others = await inTurns([weir, ...far], Math.ceil(rounds / 5), cost);
    report({ near, others }, rssMiB(await weir.edge.reports()));
  } finally {
    for (const proxy of running.reverse()) await proxy.stop();
  }
});

/** Of CPU for each request. */
async function microseconds(proxy: Peer, script: string): Promise<number> {
  const before = cpuMs(proxy.pid);
  const requests = await load(proxy, script, seconds);
  return ((cpuMs(proxy.pid) - before) * 1000) / requests;
}

/** Requests answered; throws when one was not answered with 200. */
async function load({ name, port }: Peer, script: string, duration: number): Promise<number> {
  const { stdout } = await run('taskset', [
    ...['-c', String(loadCore), 'wrk', '-t1', '-c64', `-d${duration}s`, '-s', script],
    `http://127.0.0.1:${port}/`,
  ]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${name} failed requests:\n${stdout}`);
  return Number(/(\d+) requests in/.exec(stdout)?.[1]);
}

async function loadScript(folder: string): Promise<string> {
  const file = `${folder}/hosts.lua`;
  const step = hostCount / 1_000;
  const hosts = Array.from({ length: 1_000 }, (_, n) => `"${hostName(n * step)}"`).join(',');
  await writeFile(
    file,
    `local hosts = {${hosts}}
local requests = {}
function init() for i, host in ipairs(hosts) do requests[i] = wrk.format("GET", "/", {Host = host, ["User-Agent"] = "wrk", Accept = "*/*"}) end end
local n = 0
function request() n = n % #requests + 1 return requests[n] end
`,
  );
  return file;
}

function rssMiB(reports: readonly { readonly memory: number }[]): number {
  return (reports[0]?.memory ?? 0) / 2 ** 20;
}

function report({ near, others }: { readonly near: Turns; readonly others: Turns }, memoryMiB: number): void {
  const rows = Object.entries(bounds).map(([name, bound]) => {
    const turns = near.has(name) ? near : others;
    const { ratio, spread } = ratioOf(turns, 'weir', name);
    return { name, bound, ratio, spread, microseconds: median(turns, name), ok: ratio <= bound };
  });
  const own = median(near, 'weir');
  console.log(`weir       ${own.toFixed(1)} µs of CPU a request, median of ${rounds} rounds`);
  for (const { name, bound, ratio, spread, microseconds } of rows)
    console.log(
      `${name.padEnd(10)} ${microseconds.toFixed(1)}: weir against it ${ratio.toFixed(3)} (middle half within ${spread.toFixed(3)}; bound ${bound})`,
    );
  console.log(`worker memory with ${hostCount} hosts: ${memoryMiB.toFixed(0)} MiB (bound ${memoryBound})`);
  conclude({
    bench: 'edge',
    microseconds: {
      weir: own,
      ...Object.fromEntries(rows.map(({ name, microseconds }) => [name, microseconds])),
    },
    ratios: Object.fromEntries(rows.map(({ name, ratio }) => [name, ratio])),
    bounds,
    memoryMiB,
    memoryBound,
    ok: rows.every(({ ok }) => ok) && memoryMiB <= memoryBound,
  });
}
