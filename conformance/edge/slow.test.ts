import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import t from 'tap';
import { type EdgeHost, openEdge } from './edge-host.ts';
import type { ProbeReport } from './probe.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

/**
 * What others may notice: a machine of two cores runs the attackers, the edge, its backend and the probe. Where even those wait who go
 * straight to the app, the machine is full: a way with twice as many processes in it may then take so many times as long.
 */
const p99Ms = 1_000;
const timesStraight = 10;
const idleConnections = 10_000;
/** For the idle connections, and for everything else that is slow. */
const maxGrowth = 250 * 2 ** 20;

/** slowhttptest's four modes, 500 connections each. */
const modes: Readonly<Record<string, readonly string[]>> = {
  'slow headers': ['-H', '-i', '2', '-u', 'http://127.0.0.1:8000/'],
  'slow body': ['-B', '-i', '2', '-s', '8192', '-u', 'http://127.0.0.1:8000/'],
  range: ['-R', '-a', '10', '-b', '2000', '-u', 'http://127.0.0.1:8000/large'],
  'slow read': ['-X', '-n', '2', '-z', '32', '-k', '3', '-u', 'http://127.0.0.1:8000/large'],
};

async function openIdle({ host }: EdgeHost) {
  const script = fileURLToPath(new URL('idle.ts', import.meta.url));
  const [program, ...args] = host.inside([process.execPath, script, `${idleConnections}`]);
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

t.test('slow clients by the thousand', { skip, timeout: 120_000 }, async (t) => {
  // slowhttptest names the address as Host: all of them have to be routed.
  const edge = await openEdge(t, 'slow', { host: '*' });
  const before = edge.memory();
  const closeIdle = await openIdle(edge);
  const withIdle = edge.memory();
  t.comment(`memory: ${before >> 20} MiB, with ${idleConnections} idle connections ${withIdle >> 20} MiB`);
  const attacks = Object.entries(modes).map(async ([name, how]) => {
    const args = ['-c', '500', '-r', '250', '-l', '10', '-p', '5', ...how];
    return [name, (await edge.host.exec(['slowhttptest', ...args])).stdout] as const;
  });
  const report = await edge.script<ProbeReport>(new URL('probe.ts', import.meta.url), [
    ...['9', '50', await edge.app()],
  ]);
  const others = report.edge;
  const most = Math.max(p99Ms, timesStraight * report.straight.p99);
  const grown = edge.memory() - before;
  t.comment(
    `others: p50 ${others.p50.toFixed(1)} ms, p99 ${others.p99.toFixed(1)} ms, straight to the app ${report.straight.p99.toFixed(1)} ms; grown by ${grown >> 20} MiB`,
  );
  t.same(others.failed, [], 'others are answered');
  t.ok(others.p99 <= most, `others wait no longer than ${most} ms (p99)`);
  t.ok(grown <= maxGrowth, `memory grows by at most ${maxGrowth >> 20} MiB`);
  for (const [name, output] of await Promise.all(attacks)) {
    t.match(
      stripVTControlCharacters(output),
      /service available:\s+YES/,
      `${name}: the service stays available`,
    );
  }
  t.match(await closeIdle(), { open: idleConnections, lost: 0 }, 'idle connections are kept');
});
