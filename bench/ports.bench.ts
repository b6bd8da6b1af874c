/**
 * A public TCP port carried by the kernel, by a worker of our edge, by HAProxy and by nginx, and no port at all: from a container on one
 * side of this host to a server on the other. What counts is processor time, of the client, the server and whoever is between, the kernel's
 * part included: what an answer costs more than directly is the price of the port.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../core/kit/clock.ts';
import { createLog } from '../core/kit/log.ts';
import { applyDelta, type Directory, emptyDirectory } from '../core/model/directory.ts';
import { EdgeConsumer } from '../lb/edge/consumer.ts';
import { NftablesPorts } from '../lb/vip/backends/nftables/ports/nftables-ports.ts';
import { cpuMs, quiet } from './edge-peers.ts';
import { inTurns, median, ratioOf, type Turns } from './in-turns.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';
import { type Hosts, ports, startHosts } from './vip-hosts.ts';

const rounds = Number(process.argv[2] ?? 5);
const here = '100.65.1.1';
const core = '1';
const places = { kernel: 9201, weir: 9202, haproxy: 9203, nginx: 9204 };
const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** `cpuMs`: of who is between, beside the kernel's work in the client's and the server's time. */
type Way = { readonly name: string; readonly address: string; readonly port: number; cpuMs(): number };

const loads = {
  /** 16 connections that are kept, six bytes an answer. */
  answers: { path: '/', headers: [] },
  /** A connection for each answer. */
  connections: { path: '/', headers: ['-H', 'Connection: close'] },
  megabytes: { path: '/megabyte', headers: [] },
} as const;
type LoadName = keyof typeof loads;
/** What the kernel may cost of the cheaper one of our worker and HAProxy. */
const bounds: Readonly<Record<LoadName, number>> = { answers: 0.5, connections: 1, megabytes: 0.5 };

await insideOwnNetwork(import.meta.url, async (folder) => {
  const hosts = await startHosts(folder);
  const log = createLog({ level: 'warn' });
  const target = { instanceId: 'app-1', address: hosts.backends[0] ?? '', port: ports.http };
  const kernel = new NftablesPorts({ log, clock: systemClock });
  const edge = new EdgeConsumer(
    { clock: systemClock, log, certificate: () => Promise.reject(new Error('none')) },
    { address: here, httpPort: 0 },
  );
  const children: ChildProcess[] = [];
  try {
    const mapped = { listener: 'bench', protocol: 'tcp', address: here, port: places.kernel } as const;
    await kernel.apply([{ ...mapped, backends: [target] }]);
    await edge.start();
    await edge.apply(directoryOf(target));
    for (const pid of edge.pids) spawn('taskset', ['-a', '-c', '-p', core, String(pid)], quiet);
    const worker = () => edge.pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
    const ways: Way[] = [
      { name: 'direct', address: target.address, port: ports.http, cpuMs: () => 0 },
      { name: 'kernel', address: here, port: places.kernel, cpuMs: () => 0 },
      { name: 'weir', address: here, port: places.weir, cpuMs: worker },
      wayOf('haproxy', await haproxy(folder, target), children),
      ...(existsSync(streamModule) ? [wayOf('nginx', await nginx(folder, target), children)] : []),
    ];
    if (ways.length < 5) console.log(`nginx is not measured: ${streamModule} is not there`);
    await Promise.all(ways.map((way) => answers(hosts, way)));
    const results = new Map<LoadName, Turns>();
    for (const load of Object.keys(loads) as LoadName[])
      results.set(load, await inTurns(ways, rounds, (way) => cost(hosts, way, load)));
    report(results, ways);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    await edge.stop();
    await kernel.stop();
    await hosts.close();
  }
});

/** Microseconds of processor time for one answer. */
async function cost(hosts: Hosts, way: Way, load: LoadName): Promise<number> {
  const { path, headers } = loads[load];
  const before = way.cpuMs();
  const url = `http://${way.address}:${way.port}${path}`;
  const { text, cpuMs: ends } = await hosts.load('client', ['wrk', '-t1', '-c16', '-d1s', ...headers, url]);
  const [, answered] = /(\d+) requests in/.exec(text) ?? [];
  if (answered === undefined || /Non-2xx/.test(text)) throw new Error(`${way.name} failed:\n${text}`);
  return ((ends + way.cpuMs() - before) * 1_000) / Number(answered);
}

function report(results: ReadonlyMap<LoadName, Turns>, ways: readonly Way[]): void {
  const json: Record<string, Record<string, number>> = {};
  for (const [load, turns] of results) {
    const direct = median(turns, 'direct');
    const price = (name: string) => median(turns, name) - direct;
    console.log(`${load}: ${direct.toFixed(1)} µs of processor time each, directly`);
    json[load] = { direct };
    for (const { name } of ways.slice(1)) {
      const { ratio, spread } = ratioOf(turns, name, 'direct');
      console.log(
        `  ${name}: ${price(name).toFixed(1)} µs more (${ratio.toFixed(2)} ± ${spread.toFixed(2)} of direct)`,
      );
      json[load][name] = price(name);
    }
  }
  const ok = Object.entries(json).every(
    ([load, { kernel = 0, weir = 0, haproxy = 0 }]) =>
      kernel <= bounds[load as LoadName] * Math.min(weir, haproxy),
  );
  conclude({ bench: 'ports', ok, microseconds: json });
}

function directoryOf(target: { readonly address: string; readonly port: number }): Directory {
  const port = { index: 0, protocols: ['tcp'], labels: {}, scope: 'container', ...target } as const;
  const ids = { instanceId: 'app-1', taskId: 'app-1.1', appId: '/app', agentId: 'agent' };
  const endpoint = { ...ids, agentAddress: here, addresses: [], ports: [port], ready: true };
  const service = { appId: '/app', portIndex: 0 };
  const route = { id: 'bench', host: '*', pathPrefix: '/', service, owner: 'listener:bench', table: 'bench' };
  const listener = {
    id: 'bench',
    owner: 'listener:bench',
    address: here,
    port: places.weir,
    protocol: 'tcp',
  } as const;
  return applyDelta(emptyDirectory, {
    ...{ from: 0, revision: 1 },
    endpoints: { set: [endpoint], gone: [] },
    routes: { set: [route], gone: [] },
    listeners: { set: [listener], gone: [] },
  });
}

function wayOf(name: 'haproxy' | 'nginx', child: ChildProcess, children: ChildProcess[]): Way {
  children.push(child);
  return { name, address: here, port: places[name], cpuMs: () => cpuMs(child.pid ?? 0) };
}

async function haproxy(
  folder: string,
  { address, port }: { address: string; port: number },
): Promise<ChildProcess> {
  const file = `${folder}/tcp.cfg`;
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode tcp
  timeout connect 3s
  timeout client 60s
  timeout server 60s
listen bench
  bind ${here}:${places.haproxy} backlog 4096
  server one ${address}:${port}
`,
  );
  return spawn('taskset', ['-c', core, 'haproxy', '-db', '-f', file], quiet);
}

async function nginx(
  folder: string,
  { address, port }: { address: string; port: number },
): Promise<ChildProcess> {
  const own = `${folder}/stream`;
  await mkdir(own);
  await writeFile(
    `${own}/nginx.conf`,
    `load_module ${streamModule}; daemon off; master_process off; worker_processes 1; user root; pid ${own}/pid; error_log ${own}/error.log crit;
    events { worker_connections 4096; }
    stream { server { listen ${here}:${places.nginx} backlog=4096; tcp_nodelay on; proxy_pass ${address}:${port}; } }`,
  );
  return spawn('taskset', ['-c', core, 'nginx', '-e', `${own}/error.log`, '-c', `${own}/nginx.conf`], quiet);
}

async function answers(hosts: Hosts, { name, address, port }: Way): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const asked = hosts.load('client', ['curl', '-sf', '-o', '/dev/null', `http://${address}:${port}/`]);
    if (
      await asked.then(
        () => true,
        () => false,
      )
    )
      return;
    await delay(100);
  }
  throw new Error(`${name} does not answer`);
}
