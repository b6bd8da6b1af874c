import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../core/kit/clock.ts';
import { createLog } from '../core/kit/log.ts';
import { applyDelta, type Directory, emptyDirectory } from '../core/model/directory.ts';
import type { Route } from '../core/model/route.ts';
import { EdgeConsumer } from '../lb/edge/consumer.ts';

/** A proxy under measurement: one process that does the work, on `port` of 127.0.0.1. */
export type Peer = {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
};

export const ports = {
  backend: 9100,
  weir: 9101,
  nginx: 9102,
  haproxy: 9103,
  nginxHttp2: 9104,
  weirTls: 9105,
  nginxTls: 9106,
  caddy: 9107,
  httpProxy: 9108,
};
export const hostCount = 10_000;

export function hostName(n: number): string {
  return `h${n}.bench.example`;
}

/** What answers behind every proxy, on the cores of the load. */
export async function startBackend(folder: string, core: number): Promise<Peer> {
  const server = `server { listen 127.0.0.1:${ports.backend} backlog=4096 reuseport; location / { return 200 "hello\\n"; } }`;
  return startNginx({ name: 'backend', folder, core, port: ports.backend }, server);
}

/** nginx by its own book: kept upstream connections, one worker, hosts by hash. `tls`: files, for TLS 1.3 as well. */
export async function nginxProxy(
  folder: string,
  core: number,
  tls?: { readonly key: string; readonly cert: string },
): Promise<Peer> {
  const secure = tls
    ? `listen 127.0.0.1:${ports.nginxTls} ssl backlog=4096; ssl_protocols TLSv1.3; ssl_certificate ${tls.cert}; ssl_certificate_key ${tls.key};`
    : '';
  const hosts = Array.from({ length: hostCount }, (_, n) => `${hostName(n)} app;`).join('\n');
  const server = `
    upstream app { server 127.0.0.1:${ports.backend}; keepalive 128; keepalive_requests 10000000; }
    map_hash_max_size 32768; map_hash_bucket_size 128;
    map $host $to { default ""; ${hosts} }
    server {
      listen 127.0.0.1:${ports.nginx} backlog=4096;
      listen 127.0.0.1:${ports.nginxHttp2} http2 backlog=4096;
      ${secure}
      location / {
        if ($to = "") { return 404; }
        proxy_pass http://$to;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header X-Forwarded-Port $server_port;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Request-Id $request_id;
      }
    }`;
  return startNginx({ name: 'nginx', folder, core, port: ports.nginx }, server);
}

export async function haproxyProxy(folder: string, core: number): Promise<Peer> {
  const map = `${folder}/hosts.map`;
  await writeFile(map, Array.from({ length: hostCount }, (_, n) => `${hostName(n)} app\n`).join(''));
  const file = `${folder}/haproxy.cfg`;
  await writeFile(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 3s
  timeout client 60s
  timeout server 60s
  option http-keep-alive
  http-reuse always
frontend public
  bind 127.0.0.1:${ports.haproxy} backlog 4096
  option forwardfor
  unique-id-format %{+X}o\\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header X-Request-Id
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port %[dst_port]
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  use_backend %[req.hdr(host),lower,map_str(${map})]
backend app
  server one 127.0.0.1:${ports.backend} pool-max-conn 256
`,
  );
  const child = spawn('taskset', ['-c', String(core), 'haproxy', '-db', '-f', file], quiet);
  return started({ name: 'haproxy', port: ports.haproxy, pid: child.pid ?? 0 }, child);
}

/** Our edge: its control side stays in this process, its worker is what is measured. `tls`: PEM, for TLS as well. */
export async function weirProxy(
  core: number,
  tls?: { readonly key: string; readonly chain: string },
): Promise<Peer & { readonly edge: EdgeConsumer }> {
  const certificate = () => Promise.reject(new Error('no certificate in this bench'));
  const edge = new EdgeConsumer(
    { clock: systemClock, log: createLog(), certificate },
    { httpPort: ports.weir, ...(tls && { httpsPort: ports.weirTls }) },
  );
  await edge.start();
  await edge.apply(tls === undefined ? directoryOfHosts() : withCertificate(directoryOfHosts(), tls));
  const pid = edge.pids[0] ?? 0;
  const pinned = spawn('taskset', ['-a', '-c', '-p', String(core), String(pid)], quiet);
  await once(pinned, 'exit');
  return { name: 'weir', port: ports.weir, pid, edge, stop: () => edge.stop() };
}

/** CPU milliseconds that a process has used, all its threads that still are; the scheduler counts them to the nanosecond. */
export function cpuMs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const spent = tasks.map((task) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return spent.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

export function benchRoute(n: number): Route {
  const id = `route:${hostName(n)}`;
  const service = { appId: '/app', portIndex: 0 };
  return { id, host: hostName(n), pathPrefix: '/', service, owner: id };
}

/** `hostCount` hosts that all lead to the one backend. */
export function directoryOfHosts(): Directory {
  const address = '127.0.0.1';
  const place = { address, port: ports.backend, scope: 'host' } as const;
  const port = { index: 0, protocols: ['tcp'], labels: {}, ...place } as const;
  const ids = { instanceId: 'app-1', taskId: 'app-1.1', appId: '/app', agentId: 'agent' };
  const endpoint = { ...ids, agentAddress: address, addresses: [], ports: [port], ready: true };
  const set = Array.from({ length: hostCount }, (_, n) => benchRoute(n));
  const changes = { endpoints: { set: [endpoint], gone: [] }, routes: { set, gone: [] } };
  return applyDelta(emptyDirectory, { from: 0, revision: 1, ...changes });
}

function withCertificate(
  directory: Directory,
  tls: { readonly key: string; readonly chain: string },
): Directory {
  const named = { name: 'bench', hosts: [hostName(1)], notBefore: 0, notAfter: Number.MAX_SAFE_INTEGER };
  return { ...directory, certificates: new Map([['bench', { ...named, ...tls, default: true }]]) };
}

export const quiet = { stdio: 'ignore' } as const;

type NginxPlace = {
  readonly name: string;
  readonly folder: string;
  readonly core: number;
  readonly port: number;
};

/** One process of it with these directives of `http`. */
export async function startNginx({ name, folder, core, port }: NginxPlace, http: string): Promise<Peer> {
  const own = `${folder}/${name}`;
  await mkdir(own);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${own}/${kind};`)
    .join(' ');
  await writeFile(
    `${own}/nginx.conf`,
    `daemon off; master_process off; worker_processes 1; user root; pid ${own}/pid; error_log ${own}/error.log crit;
    events { worker_connections 4096; }
    http { access_log off; tcp_nodelay on; keepalive_requests 10000000; ${temporary} ${http} }`,
  );
  const args = ['-c', String(core), 'nginx', '-e', `${own}/error.log`, '-c', `${own}/nginx.conf`];
  const child = spawn('taskset', args, quiet);
  return started({ name, port, pid: child.pid ?? 0 }, child);
}

/** Resolves when something answers on the port. `taskset` becomes the program, so the process id is the program's. */
export async function started(proxy: Omit<Peer, 'stop'>, child: ChildProcess): Promise<Peer> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${proxy.name} ended with ${child.exitCode}`);
    const answers = await fetch(`http://127.0.0.1:${proxy.port}/`).then(
      () => true,
      () => false,
    );
    if (answers) break;
    await delay(20);
  }
  return {
    ...proxy,
    async stop() {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
