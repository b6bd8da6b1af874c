/** Memory of the whole `weir dev`, idle with the example app; against bare processes of the same runtime, as many. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';
import { family, send, settled, startWeir } from './weir.ts';

const boundMiB = 200;
const idleMs = 10_000;

await insideOwnNetwork(import.meta.url, async (folder) => {
  // A first start fills the compile cache, as any user's second start finds it.
  await (await startWeir(`${folder}/warm`)).stop();
  const weir = await startWeir(folder);
  try {
    await send(
      'POST',
      '/v2/apps',
      JSON.parse(await readFile(new URL('../examples/hello.json', import.meta.url), 'utf8')),
    );
    await settled();
    await delay(idleMs);
    const processes = family(weir.pid).filter((pid) => isNode(pid));
    const bare = await bareProcesses(processes.length);
    const [used, own] = [sum(processes), sum(bare.map((child) => child.pid ?? 0))];
    for (const pid of processes) console.log(`  ${mib(proportional(pid))} MiB  ${name(pid)}`);
    console.log(`weir dev, idle: ${mib(used)} MiB in ${processes.length} processes (bound ${boundMiB} MiB)`);
    console.log(`as many bare processes of the runtime: ${mib(own)} MiB`);
    for (const child of bare) child.kill('SIGKILL');
    conclude({
      bench: 'memory',
      mib: Number(mib(used)),
      bareMib: Number(mib(own)),
      ratio: used / own,
      boundMiB,
      ok: used <= boundMiB * 1024,
    });
  } finally {
    await weir.stop();
  }
});

async function bareProcesses(count: number) {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log(1)'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  for (const child of children) await once(child.stdout, 'data');
  return children;
}

/** KiB: pages shared with others count by their share, so that a sum is what the machine gives up. */
function proportional(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}

function sum(pids: readonly number[]): number {
  return pids.reduce((total, pid) => total + proportional(pid), 0);
}

function mib(kib: number): string {
  return (kib / 1024).toFixed(1);
}

function isNode(pid: number): boolean {
  return name(pid).includes('/node');
}

function name(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 120);
}
