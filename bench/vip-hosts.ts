import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/**
 * Three hosts in a row, each a network namespace: a client container, the host of this process (which has the VIPs), and a
 * machine with the backends. No way out of them. The client is in a control group (its folder) if one is given.
 *
 *     client 100.65.1.2 ── 100.65.1.1 host 100.65.2.1 ── 100.65.2.2 … 100.65.2.11 backends
 */
export type Hosts = {
  readonly backends: readonly string[];
  /** File of questions for the name server. */
  readonly questions: string;
  /** Runs a program to its end at a place; throws when it fails. CPU: its own and that of the servers meanwhile. */
  load(place: Place, args: readonly string[]): Promise<{ readonly text: string; readonly cpuMs: number }>;
  /** Sum of a counter of `nstat` at a place, since it was made. */
  counter(place: Place, name: string): Promise<number>;
  close(): Promise<void>;
};

export type Place = 'client' | 'host';

export const ports = { http: 8080, dns: 5353 };
const cores = { load: '0', server: '1' };
const run = promisify(execFile);

export async function startHosts(folder: string, group?: string): Promise<Hosts> {
  const [client, backend] = [`weir-vipc-${process.pid}`, `weir-vipb-${process.pid}`];
  const servers: ChildProcess[] = [];
  const enter = group === undefined ? [] : ['sh', '-c', `echo $$ > ${group}/cgroup.procs; exec "$@"`, 'sh'];
  const inside = (place: Place) => (place === 'client' ? [...enter, 'ip', 'netns', 'exec', client] : []);
  const hosts: Hosts = {
    questions: `${folder}/knot/questions`,
    backends: Array.from({ length: 10 }, (_, n) => `100.65.2.${n + 2}`),
    async load(place, args) {
      const before = cpuMs(servers);
      // `time` of the shell knows milliseconds; the last line is its.
      const timed = ['bash', '-c', 'TIMEFORMAT="%U %S"; time "$@"', 'bash', ...args];
      const [file = '', ...rest] = [...inside(place), 'taskset', '-c', cores.load, ...timed];
      const { stdout, stderr } = await run(file, rest, { maxBuffer: 1e8 });
      const [user = 0, system = 0] = lastLine(stderr).split(' ').map(Number);
      return { text: stdout, cpuMs: cpuMs(servers) - before + (user + system) * 1_000 };
    },
    async counter(place, name) {
      const [file = '', ...rest] = [...inside(place), 'nstat', '-asz', name];
      return Number(lastLine((await run(file, rest)).stdout).split(/\s+/)[1]);
    },
    async close() {
      for (const server of servers) await stopped(server);
      for (const name of [client, backend]) spawnSync('ip', ['netns', 'delete', name]);
    },
  };
  try {
    for (const name of [client, backend]) ip(`netns add ${name}`);
    link(client, 'weirc', '100.65.1.1', ['100.65.1.2']);
    link(backend, 'weirb', '100.65.2.1', hosts.backends);
    await run('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
    // Each namespace has its own: the VIP backend sets its host's, a container's must be set by who makes it.
    await run('ip', ['netns', 'exec', client, 'sysctl', '-qw', 'net.ipv4.tcp_timestamps=2']);
    servers.push(await nginx(backend, folder), await knot(backend, folder));
    await answering(hosts);
    return hosts;
  } catch (error) {
    await hosts.close();
    throw error;
  }
}

/** Time on a core of all threads, the kernel's work for their packets included. */
function cpuMs(processes: readonly ChildProcess[]): number {
  const threads = processes.flatMap(({ pid }) =>
    readdirSync(`/proc/${pid}/task`).map((id) => `/proc/${pid}/task/${id}`),
  );
  const times = threads.map((thread) => Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0]));
  return times.reduce((sum, nanoseconds) => sum + nanoseconds / 1e6, 0);
}

/** A link from here to a namespace; here is its default route. */
function link(namespace: string, device: string, here: string, there: readonly string[]): void {
  ip(`link add ${device} type veth peer name eth0 netns ${namespace}`);
  ip(`addr add ${here}/24 dev ${device}`);
  ip(`link set ${device} up`);
  ip(`-n ${namespace} link set lo up`);
  for (const address of there) ip(`-n ${namespace} addr add ${address}/24 dev eth0`);
  ip(`-n ${namespace} link set eth0 up`);
  ip(`-n ${namespace} route add default via ${here}`);
}

async function nginx(namespace: string, folder: string): Promise<ChildProcess> {
  const own = `${folder}/nginx`;
  await mkdir(own);
  await writeFile(`${own}/megabyte`, Buffer.alloc(1_000_000, 'm'));
  await writeFile(
    `${own}/nginx.conf`,
    `daemon off; master_process off; worker_processes 1; user root; pid ${own}/pid; error_log ${own}/error.log crit;
    events { worker_connections 8192; }
    http { access_log off; tcp_nodelay on; keepalive_requests 10000000;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${own}/${kind};`).join(' ')}
      server { listen ${ports.http} backlog=4096; location / { return 200 "hello\\n"; } location /megabyte { root ${own}; } } }`,
  );
  return server(namespace, ['nginx', '-e', `${own}/error.log`, '-c', `${own}/nginx.conf`]);
}

async function knot(namespace: string, folder: string): Promise<ChildProcess> {
  const own = `${folder}/knot`;
  await mkdir(own);
  await writeFile(
    `${own}/zone`,
    '$ORIGIN bench.weir.\n@ 60 SOA ns root 1 60 600 86400 1\n@ 60 NS ns\nns 60 A 100.65.2.2\n',
  );
  await writeFile(`${own}/questions`, 'ns.bench.weir A\n');
  await writeFile(
    `${own}/knot.conf`,
    `server:\n  listen: 0.0.0.0@${ports.dns}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n  rundir: ${own}
database:\n  storage: ${own}\nzone:\n  - domain: bench.weir\n    file: ${own}/zone\n    journal-content: none\n    zonefile-sync: -1\n`,
  );
  return server(namespace, ['knotd', '-c', `${own}/knot.conf`]);
}

function server(namespace: string, args: readonly string[]): ChildProcess {
  return spawn('ip', ['netns', 'exec', namespace, 'taskset', '-c', cores.server, ...args], {
    stdio: 'ignore',
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

/** Both servers answer on the last of their addresses. */
async function answering({ load, backends }: Hosts): Promise<void> {
  const last = backends.at(-1) ?? '';
  const http = [
    'curl',
    '-sf',
    '--retry',
    '20',
    '--retry-connrefused',
    '--retry-delay',
    '1',
    `http://${last}:${ports.http}/`,
  ];
  await load('client', http);
  await load('host', ['dig', '+tries=10', '+time=1', '-p', String(ports.dns), `@${last}`, 'ns.bench.weir']);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

function ip(args: string): void {
  const { status, stderr } = spawnSync('ip', args.split(' '), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args}: ${stderr}`);
}
