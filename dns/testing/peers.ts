import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import type { ListenAddress } from '../../core/kit/listen.ts';
import { plainRecord } from '../plain-reply.ts';
import type { Name, ResourceRecord } from '../wire/types.ts';
import { query, TcpSession } from './client.ts';

/** Another name server that answers for the same zones, from a file of their records. */
export type Peer = {
  readonly name: string;
  readonly program: string;
  /** Writes its configuration; gives its arguments. */
  configure(files: PeerFiles): readonly string[];
};

export type PeerFiles = {
  readonly folder: string;
  readonly port: number;
  /** The zones, each with its file. */
  readonly zones: ReadonlyMap<Name, string>;
};

const readyWithinMs = 20_000;

export const knot: Peer = {
  name: 'Knot',
  program: 'knotd',
  configure({ folder, port, zones }) {
    const each = [...zones].map(
      ([apex, file]) =>
        `  - domain: ${apex}\n    file: ${file}\n    journal-content: none\n    zonefile-sync: -1\n`,
    );
    const server = `server:\n  listen: 127.0.0.1@${port}\n  udp-workers: 1\n  tcp-workers: 1\n  rundir: ${folder}\n`;
    const text = `${server}database:\n  storage: ${folder}\nzone:\n${each.join('')}`;
    writeFileSync(join(folder, 'knot.conf'), text);
    return ['-c', join(folder, 'knot.conf')];
  },
};

export const bind: Peer = {
  name: 'BIND',
  program: 'named',
  configure({ folder, port, zones }) {
    const listen = `listen-on port ${port} { 127.0.0.1; }; listen-on-v6 { none; };`;
    const options = `options { directory "${folder}"; pid-file none; session-keyfile none; ${listen} recursion no; minimal-responses no-auth; zero-no-soa-ttl no; };`;
    const each = [...zones].map(([apex, file]) => `zone "${apex}" { type primary; file "${file}"; };`);
    writeFileSync(join(folder, 'named.conf'), [options, 'controls {};', ...each, ''].join('\n'));
    return ['-f', '-n', '1', '-c', join(folder, 'named.conf')];
  },
};

export function isInstalled({ program }: Peer): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', program]).status === 0;
}

/** A peer that serves these records until the test ends. `zones`: of each apex all records, its SOA among them. */
export async function startPeer(
  t: Test,
  peer: Peer,
  zones: ReadonlyMap<Name, readonly ResourceRecord[]>,
): Promise<ListenAddress> {
  const folder = mkdtempSync(join(tmpdir(), 'weir-peer-'));
  const files = new Map([...zones].map(([apex, records]) => [apex, zoneFile(folder, apex, records)]));
  const port = await freePort();
  const args = peer.configure({ folder, port, zones: files });
  const child = spawn(peer.program, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  });
  const at = { address: '127.0.0.1', port };
  const [apex = ''] = zones.keys();
  for (const end = performance.now() + readyWithinMs; performance.now() < end; await pause(50)) {
    if (child.exitCode !== null) throw new Error(`${peer.program} ended with ${child.exitCode}`);
    if (await isServed(at, apex)) return at;
  }
  throw new Error(`${peer.program} did not answer within ${readyWithinMs / 1_000} s`);
}

function zoneFile(folder: string, apex: Name, records: readonly ResourceRecord[]): string {
  const lines = records.map((record) => {
    const { name, ttl, type, data } = plainRecord(record);
    return `${name}. ${ttl} IN ${type} ${withDots(record, data)}\n`;
  });
  const file = join(folder, `${apex}.zone`);
  writeFileSync(file, lines.join(''));
  return file;
}

/** In a zone file a name without its last dot is below the zone. */
function withDots(record: ResourceRecord, data: string): string {
  if (record.type === 'SOA') return data.replace(/^(\S+) (\S+)/, '$1. $2.');
  return 'target' in record ? `${data}.` : data;
}

/** One that neither UDP nor TCP has: a server goes on without what it cannot have. */
async function freePort(): Promise<number> {
  for (;;) {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const { port } = socket.address();
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    socket.close();
    server.close();
    if (isFree) return port;
  }
}

/** By TCP, which some of them open after UDP. */
async function isServed(at: ListenAddress, apex: Name): Promise<boolean> {
  try {
    const session = await TcpSession.open(at);
    session.send(query(apex, 'SOA'));
    const reply = await session.next();
    session.socket.destroy();
    return reply?.answers.length === 1;
  } catch {
    return false;
  }
}
