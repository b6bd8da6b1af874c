/**
 * A change of the Directory until it is in force in DNS, virtual IPs and edge on all three hosts of a lab, as acknowledged
 * to the master; against one transaction of the kernel's tables done by hand, the least such a change can cost.
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { conclude, milliseconds, percentile } from './numbers.ts';

const changes = Number(process.argv[2] ?? 200);
const boundMs = 50;
const weir = fileURLToPath(new URL('../weir', import.meta.url));
const inside = process.env['WEIR_BENCH_MASTER'];

if (inside === undefined) await inLab();
else await measure(inside);

/** Builds the lab, then runs this file again on the master's host. */
async function inLab(): Promise<void> {
  if (process.getuid?.() !== 0) {
    console.error('this bench needs root: it builds three hosts');
    process.exitCode = 2;
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const env = { ...process.env, WEIR_LAB: folder, WEIR_BENCH_MASTER: 'http://100.127.0.1:8080' };
  const run = (...args: string[]) => spawnSync(weir, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    run('lab', 'up', '--hosts', '3');
    run('--lab', 'app', 'add', fileURLToPath(new URL('../examples/hello.json', import.meta.url)));
    const measured = spawnSync(
      'nsenter',
      ['--net=/run/netns/weir-lab-h1', process.execPath, fileURLToPath(import.meta.url), String(changes)],
      { env, stdio: 'inherit' },
    );
    process.exitCode = measured.status ?? 1;
  } finally {
    run('lab', 'down');
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(master: string): Promise<void> {
  const times: number[] = [];
  const byHand: number[] = [];
  for (let change = 0; change < changes; change++) {
    const started = performance.now();
    const sent = await fetch(`${master}/v1/routes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ host: `change-${change}.example`, app: '/hello' }),
    });
    if (!sent.ok) throw new Error(await sent.text());
    await inForceEverywhere(master);
    times.push(performance.now() - started);
    byHand.push(transaction());
  }
  const [p50, p99, hand] = [percentile(times, 0.5), percentile(times, 0.99), percentile(byHand, 0.5)];
  console.log(
    `${changes} changes, from request to in force in dns, vip and edge on 3 hosts: p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)} (bound ${boundMs} ms)`,
  );
  console.log(`one transaction of the kernel's tables by hand: p50 ${milliseconds(hand)}`);
  conclude({
    bench: 'propagate',
    changes,
    p50Ms: p50,
    p99Ms: p99,
    byHandMs: hand,
    ratio: p50 / hand,
    boundMs,
    ok: p99 <= boundMs,
  });
}

async function inForceEverywhere(master: string): Promise<void> {
  for (;;) {
    const { nodes } = (await (await fetch(`${master}/v1/nodes`)).json()) as {
      nodes: { revision: number; consumers: string[]; acks: Record<string, number> }[];
    };
    if (
      nodes.every((node) => node.consumers.every((consumer) => (node.acks[consumer] ?? 0) >= node.revision))
    )
      return;
  }
}

function transaction(): number {
  const started = performance.now();
  execFileSync('nft', ['-f', '-'], { input: 'add table ip weir_bench\ndelete table ip weir_bench\n' });
  return performance.now() - started;
}
