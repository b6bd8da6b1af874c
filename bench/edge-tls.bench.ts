/**
 * CPU of the edge's worker under TLS 1.3, beside nginx in the same run and with the same P-256 certificate: a request on a kept
 * connection (64 of them), and a new connection with one request on it, nothing resumed. One core each, the load and the backend on the
 * other. CPU time is counted, not the clock; rounds take turns, and the least disturbed round of each is compared.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { cpuMs, hostName, nginxProxy, type Peer, ports, startBackend, weirProxy } from './edge-peers.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 2);
const bounds = { kept: 1.2, new: 2 };
const [proxyCore, loadCore] = [0, 1];
const run = promisify(execFile);

type Kind = keyof typeof bounds;

await insideOwnNetwork(import.meta.url, async (folder) => {
  const running: Peer[] = [];
  try {
    const files = await certificate(folder);
    running.push(await startBackend(folder, loadCore));
    const [key, chain] = await Promise.all([readFile(files.key, 'utf8'), readFile(files.cert, 'utf8')]);
    const weir = await weirProxy(proxyCore, { key, chain });
    const nginx = await nginxProxy(folder, proxyCore, files);
    running.push(weir, nginx);
    const peers = [
      { ...weir, port: ports.weirTls },
      { ...nginx, port: ports.nginxTls },
    ];
    const script = { kept: await loadScript(folder, 'kept'), new: await loadScript(folder, 'new') };
    report({ kept: await measure(peers, script.kept), new: await measure(peers, script.new) });
  } finally {
    for (const proxy of running.reverse()) await proxy.stop();
  }
});

async function certificate(folder: string): Promise<{ readonly key: string; readonly cert: string }> {
  const files = { key: `${folder}/tls.key`, cert: `${folder}/tls.crt` };
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-keyout', files.key, '-out', files.cert, '-subj', '/CN=bench'],
    ...['-addext', `subjectAltName=DNS:${hostName(1)}`],
  ]);
  return files;
}

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
    `https://127.0.0.1:${port}/`,
  ]);
  if (/Non-2xx|Socket errors: connect [1-9]/.test(stdout))
    throw new Error(`${name} failed requests:\n${stdout}`);
  return Number(/(\d+) requests in/.exec(stdout)?.[1]);
}

async function loadScript(folder: string, kind: Kind): Promise<string> {
  const file = `${folder}/${kind}.lua`;
  const close = kind === 'new' ? ', Connection = "close"' : '';
  await writeFile(
    file,
    `wrk.headers = {Host = "${hostName(1)}", ["User-Agent"] = "wrk", Accept = "*/*"${close}}\n`,
  );
  return file;
}

function report(costs: Readonly<Record<Kind, ReadonlyMap<string, number>>>): void {
  const ratioOf = (kind: Kind) =>
    (costs[kind].get('weir') ?? Number.NaN) / (costs[kind].get('nginx') ?? Number.NaN);
  const ratios = { kept: ratioOf('kept'), new: ratioOf('new') };
  const what = { kept: 'a request on a kept connection', new: 'a new connection with one request' };
  for (const kind of ['kept', 'new'] as const) {
    for (const [name, value] of costs[kind])
      console.log(`${name.padEnd(8)} ${value.toFixed(1)} µs of CPU ${what[kind]}`);
    console.log(`weir against nginx: ${ratios[kind].toFixed(2)} (bound ${bounds[kind]})`);
  }
  conclude({
    bench: 'edge-tls',
    microseconds: { kept: Object.fromEntries(costs.kept), new: Object.fromEntries(costs.new) },
    ratios,
    bounds,
    ok: ratios.kept <= bounds.kept && ratios.new <= bounds.new,
  });
}
