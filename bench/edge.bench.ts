/**
 * CPU of the edge's worker per proxied request, beside nginx, HAProxy, Caddy and http-proxy in the same run: one core each, the load and the
 * backend on the other, 64 kept connections, a small GET over a thousand of 10,000 hosts. CPU time is counted, not the clock, so
 * that a busy machine does not change the verdict much; rounds take turns, and the least disturbed round of each is compared.
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
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 2);
const bounds = { nginx: 1.1, haproxy: 0.95, caddy: 0.15, 'http-proxy': 0.1 };
const [proxyCore, loadCore] = [0, 1];
const run = promisify(execFile);

await insideOwnNetwork(import.meta.url, async (folder) => {
  const running: Peer[] = [];
  try {
    running.push(await startBackend(folder, loadCore));
    const weir = await weirProxy(proxyCore);
    const nginx = await nginxProxy(folder, proxyCore);
    const haproxy = await haproxyProxy(folder, proxyCore);
    const peers = [nginx, haproxy, await caddyProxy(folder, proxyCore), await httpProxy(proxyCore)];
    running.push(weir, ...peers);
    const script = await loadScript(folder);
    const costs = await measure([weir, ...peers], script);
    report(costs, rssMiB(await weir.edge.reports()));
  } finally {
    for (const proxy of running.reverse()) await proxy.stop();
  }
});

async function measure(proxies: readonly Peer[], script: string): Promise<ReadonlyMap<string, number>> {
  const samples = new Map(proxies.map(({ name }) => [name, [] as number[]]));
  for (const proxy of proxies) await load(proxy, script, 2);
  for (let round = 0; round < rounds; round++) {
    for (const proxy of proxies) {
      const before = cpuMs(proxy.pid);
      const requests = await load(proxy, script, seconds);
      samples.get(proxy.name)?.push(((cpuMs(proxy.pid) - before) * 1000) / requests);
    }
  }
  return new Map([...samples].map(([name, sample]) => [name, Math.min(...sample)]));
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

function report(costs: ReadonlyMap<string, number>, memoryMiB: number): void {
  const own = costs.get('weir') ?? Number.NaN;
  const all = Object.entries(bounds).map(([name, bound]) => {
    const ratio = own / (costs.get(name) ?? Number.NaN);
    return { name, bound, ratio, ok: ratio <= bound };
  });
  for (const [name, value] of costs)
    console.log(`${name.padEnd(10)} ${value.toFixed(1)} µs of CPU a request`);
  for (const { name, bound, ratio } of all)
    console.log(`weir against ${name}: ${ratio.toFixed(2)} (bound ${bound})`);
  console.log(`worker memory with ${hostCount} hosts: ${memoryMiB.toFixed(0)} MiB`);
  conclude({
    bench: 'edge',
    microseconds: Object.fromEntries(costs),
    ratios: Object.fromEntries(all.map(({ name, ratio }) => [name, ratio])),
    bounds,
    memoryMiB,
    ok: all.every(({ ok }) => ok),
  });
}
