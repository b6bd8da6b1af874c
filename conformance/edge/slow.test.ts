import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { type EdgeHost, openEdge } from './edge-host.ts';
import type { ProbeReport } from './probe.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/**
 * What others may notice. A machine of two cores runs the attackers as well, so that even nginx makes others wait; how long, depends on
 * the machine and the moment. It stands in for the edge in the same run, under the same attack.
 */
const p99Ms = 150;
const timesNginx = 3;
const idleConnections = 10_000;
const edgePort = 8_000;
const nginxPort = 8_001;
/** For the idle connections, and for everything else that is slow. */
const maxGrowth = 250 * 2 ** 20;

/** slowhttptest's four modes, 500 connections each. */
const modes: Readonly<Record<string, readonly [path: string, ...how: readonly string[]]>> = {
  'slow headers': ['/', '-H', '-i', '2'],
  'slow body': ['/', '-B', '-i', '2', '-s', '8192'],
  range: ['/large', '-R', '-a', '10', '-b', '2000'],
  'slow read': ['/large', '-X', '-n', '2', '-z', '32', '-k', '3'],
};

async function openIdle({ host }: EdgeHost, port: number) {
  const script = fileURLToPath(new URL('idle.ts', import.meta.url));
  const [program, ...args] = host.inside([process.execPath, script, `${idleConnections}`, `${port}`]);
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child.stdout, 'data');
  return async () => {
    child.stdin.end();
    await once(child, 'exit');
    return JSON.parse(output.trim().split('\n').at(-1) ?? '') as { open: number; lost: number };
  };
}

/** What those who are not slow wait, while everybody else is: others in sum, and what the attackers say of the service. */
async function attack(edge: EdgeHost, port: number) {
  const attacks = Object.entries(modes).map(async ([name, [path, ...how]]) => {
    const args = [
      '-c',
      '500',
      '-r',
      '250',
      '-l',
      '10',
      '-p',
      '5',
      ...how,
      '-u',
      `http://127.0.0.1:${port}${path}`,
    ];
    const { stdout } = await edge.host.exec(['slowhttptest', ...args]);
    return [name, stripVTControlCharacters(stdout)] as const;
  });
  const report = await edge.script<ProbeReport>(new URL('probe.ts', import.meta.url), [
    ...['9', '50', await edge.app(), `${port}`],
  ]);
  return { report, said: () => Promise.all(attacks) };
}

/** nginx before the same app, as its manual has it: connections to the app are kept. */
async function startNginx({ host, app }: EdgeHost, port: number): Promise<void> {
  const file = join(host.dir, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${host.dir}/nginx-${kind};`)
    .join(' ');
  await writeFile(
    file,
    `pid ${host.dir}/nginx.pid; error_log ${host.dir}/nginx.log; worker_processes 1; user root;
    events { worker_connections 20000; }
    http {
      access_log off; ${temporary}
      upstream app { server ${await app()}; keepalive 128; }
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location / {
          proxy_pass http://app; proxy_http_version 1.1;
          proxy_set_header Connection ""; proxy_set_header Host $host;
        }
      }
    }`,
  );
  const { exitCode, stderr } = await host.exec(['nginx', '-e', `${host.dir}/nginx.log`, '-c', file]);
  if (exitCode !== 0) throw new Error(`nginx: ${stderr}`);
}

const inMs = ({ edge, straight }: ProbeReport) =>
  `p50 ${edge.p50.toFixed(1)} ms, p99 ${edge.p99.toFixed(1)} ms, straight to the app ${straight.p99.toFixed(1)} ms`;

t.test('slow clients by the thousand', { skip, timeout: 180_000 }, async (t) => {
  // slowhttptest names the address as Host: all of them have to be routed.
  const edge = await openEdge(t, 'slow', { host: '*' });
  const before = edge.memory();
  const closeIdle = await openIdle(edge, edgePort);
  t.comment(
    `memory: ${before >> 20} MiB, with ${idleConnections} idle connections ${edge.memory() >> 20} MiB`,
  );
  const { report, said } = await attack(edge, edgePort);
  const grown = edge.memory() - before;
  t.comment(`others: ${inMs(report)}; grown by ${grown >> 20} MiB`);
  t.same(report.edge.failed, [], 'others are answered');
  t.ok(grown <= maxGrowth, `memory grows by at most ${maxGrowth >> 20} MiB`);
  for (const [name, output] of await said())
    t.match(output, /service available:\s+YES/, `${name}: the service stays available`);
  t.match(await closeIdle(), { open: idleConnections, lost: 0 }, 'idle connections are kept');

  await startNginx(edge, nginxPort);
  const closeIdleOfNginx = await openIdle(edge, nginxPort);
  const peer = await attack(edge, nginxPort);
  t.comment(`through nginx: ${inMs(peer.report)}`);
  await peer.said();
  await closeIdleOfNginx();
  const most = Math.max(p99Ms, timesNginx * peer.report.edge.p99);
  t.ok(report.edge.p99 <= most, `others wait no longer than ${most.toFixed(0)} ms (p99)`);
});
