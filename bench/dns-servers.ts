import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../core/kit/clock.ts';
import { createLog } from '../core/kit/log.ts';
import { DnsConsumer } from '../dns/consumer.ts';
import { directoryOf, vipOf } from './dns-directory.ts';
import { isInstalled } from './dns-load.ts';

/** A name server that answers on 127.0.0.1. */
export type Served = {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Where it may run, as taskset says it. */
  readonly cores: string;
  /** A file of its own questions; absent: the common ones. */
  readonly questions?: string;
  stop(): Promise<void>;
};

type Peer = {
  readonly name: string;
  readonly program: string;
  readonly port: number;
  /** Of its folder; absent: it is asked what all are. */
  readonly questions?: string;
  /** Writes what it needs into the folder; gives the command line of a server with one worker. */
  prepare(folder: string, apps: number): readonly string[];
};

const ttl = 5;
const readyWithinMs = 20_000;

export const peers: readonly Peer[] = [
  {
    name: 'knot',
    program: 'knotd',
    port: 5301,
    prepare(folder, apps) {
      writeFileSync(`${folder}/zone`, zoneFile(apps));
      writeFileSync(`${folder}/knot.conf`, knotConfig(folder, this.port));
      return ['-c', `${folder}/knot.conf`];
    },
  },
  {
    name: 'bind',
    program: 'named',
    port: 5302,
    prepare(folder, apps) {
      writeFileSync(`${folder}/zone`, zoneFile(apps));
      writeFileSync(`${folder}/named.conf`, bindConfig(folder, this.port));
      return ['-f', '-n', '1', '-c', `${folder}/named.conf`];
    },
  },
  {
    name: 'dnsmasq',
    program: 'dnsmasq',
    port: 5303,
    // it looks for a SRV record among all that it has, one by one; what it is made for is a file of hosts
    questions: 'questions',
    prepare(folder, apps) {
      const names = Array.from({ length: apps }, (_, app) => [
        `app-${app}.bench.weir`,
        `web-${app}.bench.weir`,
      ]);
      const hosts = names.flatMap((both, app) => both.map((name) => `${vipOf(app)} ${name}\n`));
      writeFileSync(`${folder}/hosts`, hosts.join(''));
      writeFileSync(
        `${folder}/questions`,
        names.flatMap((both) => both.map((name) => `${name} A\n`)).join(''),
      );
      writeFileSync(`${folder}/dnsmasq.conf`, dnsmasqConfig(folder, this.port));
      return ['-k', '-u', 'root', '-C', `${folder}/dnsmasq.conf`];
    },
  },
];

/** The resolver with `apps` apps of one instance and one named port each. */
export async function startWeirDns(
  apps: number,
  { sockets, threads = 1 }: { sockets: 'fast' | 'plain'; threads?: number },
): Promise<Served> {
  const dns = new DnsConsumer(
    { clock: systemClock, log: createLog({ level: 'warn' }) },
    { listen: [{ address: '127.0.0.1', port: 0 }], sockets, server: { threads } },
  );
  await dns.start();
  await dns.apply(directoryOf(apps), undefined);
  return {
    name: threads === 1 ? `weir-${sockets}` : `weir-${sockets}-${threads}`,
    cores: threads === 1 ? '1' : '0-1',
    pid: dns.workerPid ?? 0,
    port: dns.bound[0]?.port ?? 0,
    stop: () => dns.stop(),
  };
}

/** The least that a server by `node:dgram` can cost: it sends every question back, as an answer without records. */
export async function startEcho(): Promise<Served> {
  const port = 5304;
  const program = `const { createSocket } = require('node:dgram');
    const lookup = (address, _options, done) => done(null, address, 4);
    const socket = createSocket({ type: 'udp4', lookup });
    socket.on('message', (packet, from) => {
      packet[2] |= 0x80;
      socket.send(packet, from.port, from.address);
    });
    socket.bind(${port}, '127.0.0.1', () => process.send('up'));`;
  const child = spawn(process.execPath, ['--max-semi-space-size=2', '-e', program], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  await once(child, 'message');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { name: 'dgram-echo', pid: child.pid ?? 0, port, cores: '1', stop };
}

/** Gives the reason when it is not there or does not answer. */
export async function startPeer(
  peer: Peer,
  { apps, folder }: { apps: number; folder: string },
): Promise<Served | string> {
  if (!isInstalled(peer.program)) return 'which is not installed';
  mkdirSync(folder, { recursive: true });
  const child = spawn(peer.program, peer.prepare(folder, apps), { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  for (const deadline = performance.now() + readyWithinMs; performance.now() < deadline; await delay(50)) {
    if (child.exitCode !== null) return `which ended with ${child.exitCode}`;
    if (await answers(peer.port)) return servedBy(peer, { folder, pid: child.pid ?? 0, stop });
  }
  await stop();
  return `which did not answer within ${readyWithinMs / 1000} s`;
}

function servedBy(
  { name, port, questions }: Peer,
  of: { folder: string; pid: number; stop(): Promise<void> },
): Served {
  const own = questions === undefined ? {} : { questions: `${of.folder}/${questions}` };
  return { name, pid: of.pid, port, cores: '1', stop: of.stop, ...own };
}

/** Whether `app-0.bench.weir` has an answer there. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    const labels = ['app-0', 'bench', 'weir'].map((label) => String.fromCharCode(label.length) + label);
    const question = Buffer.from(`${labels.join('')}\0\0\x01\0\x01`, 'latin1');
    socket.send(Buffer.concat([Buffer.from('000100000001000000000000', 'hex'), question]), port, '127.0.0.1');
    const [reply] = await once(socket, 'message', { signal: AbortSignal.timeout(200) });
    return reply.readUInt16BE(6) > 0;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}

function zoneFile(apps: number): string {
  const records = Array.from(
    { length: apps },
    (_, app) => `app-${app} A ${vipOf(app)}\n_http._tcp.app-${app} SRV 0 1 80 app-${app}\n`,
  );
  const apex = `@ SOA ns1 root 1 60 600 86400 1\n@ NS ns1\nns1 A 127.0.0.1\n`;
  return `$ORIGIN bench.weir.\n$TTL ${ttl}\n${apex}${records.join('')}`;
}

function knotConfig(folder: string, port: number): string {
  return `server:
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  rundir: ${folder}
database:
  storage: ${folder}
zone:
  - domain: bench.weir
    file: ${folder}/zone
    journal-content: none
    zonefile-sync: -1
`;
}

function bindConfig(folder: string, port: number): string {
  return `options {
  directory "${folder}";
  pid-file none;
  listen-on port ${port} { 127.0.0.1; };
  listen-on-v6 { none; };
  recursion no;
};
controls {};
zone "bench.weir" { type primary; file "${folder}/zone"; };
`;
}

function dnsmasqConfig(folder: string, port: number): string {
  const own = `addn-hosts=${folder}/hosts\nlocal-ttl=${ttl}\n`;
  return `port=${port}\nlisten-address=127.0.0.1\nbind-interfaces\nno-resolv\nno-hosts\ncache-size=10000\n${own}`;
}
