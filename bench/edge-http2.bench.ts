/**
 * CPU of the edge's worker per proxied request of HTTP/2, beside nginx in the same run: four connections of 32 streams each, a small
 * GET, HTTP/1.1 to the endpoint. Rounds take turns, and the least disturbed round of each is compared.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cpuMs, hostName, nginxProxy, type Peer, ports, startBackend, weirProxy } from './edge-peers.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';

const rounds = Number(process.argv[2] ?? 5);
const requests = Number(process.argv[3] ?? 20_000);
const bound = 1.7;
const [proxyCore, loadCore] = [0, 1];
const run = promisify(execFile);

await insideOwnNetwork(import.meta.url, async (folder) => {
  const running: Peer[] = [];
  try {
    running.push(await startBackend(folder, loadCore));
    const weir = await weirProxy(proxyCore);
    const nginx = { ...(await nginxProxy(folder, proxyCore)), port: ports.nginxHttp2 };
    running.push(weir, nginx);
    report(await measure([weir, nginx]));
  } finally {
    for (const proxy of running.reverse()) await proxy.stop();
  }
});

/** Microseconds of CPU a request, by name. */
async function measure(proxies: readonly Peer[]): Promise<ReadonlyMap<string, number>> {
  const samples = new Map(proxies.map(({ name }) => [name, [] as number[]]));
  for (const proxy of proxies) await load(proxy);
  for (let round = 0; round < rounds; round++) {
    for (const proxy of proxies) {
      const before = cpuMs(proxy.pid);
      await load(proxy);
      samples.get(proxy.name)?.push(((cpuMs(proxy.pid) - before) * 1000) / requests);
    }
  }
  return new Map([...samples].map(([name, sample]) => [name, Math.min(...sample)]));
}

/** Throws when one was not answered with 200. */
async function load({ name, port }: Peer): Promise<void> {
  const many = ['-n', String(requests), '-c', '4', '-m', '32', '-H', `:authority: ${hostName(1)}`];
  const args = ['-c', String(loadCore), 'h2load', ...many, `http://127.0.0.1:${port}/`];
  const { stdout } = await run('taskset', args);
  if (!stdout.includes(`status codes: ${requests} 2xx`))
    throw new Error(`${name} failed requests:\n${stdout}`);
}

function report(costs: ReadonlyMap<string, number>): void {
  const ratio = (costs.get('weir') ?? Number.NaN) / (costs.get('nginx') ?? Number.NaN);
  for (const [name, value] of costs) console.log(`${name.padEnd(8)} ${value.toFixed(1)} µs of CPU a request`);
  console.log(`weir against nginx: ${ratio.toFixed(2)} (bound ${bound})`);
  conclude({
    bench: 'edge-http2',
    microseconds: Object.fromEntries(costs),
    ratio,
    bound,
    ok: ratio <= bound,
  });
}
