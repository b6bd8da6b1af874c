/**
 * Bodies of 1 MB and of 100 MB through the edge's worker and through nginx in the same run: how many MB one core carries, by CPU time,
 * and how much memory each grows by meanwhile. Rounds take turns, and the least disturbed round of each is compared.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { cpuMs, hostName, type Peer, ports, startNginx, weirProxy } from './edge-peers.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 3);
const [proxyCore, loadCore] = [0, 1];
/** Throughput against nginx's, and MiB of growth. */
const bounds = { ratio: 0.8, growthMiB: 96 };
const sizes = [
  { name: '1MB', bytes: 1e6, connections: 16 },
  { name: '100MB', bytes: 1e8, connections: 4 },
];
const run = promisify(execFile);

await insideOwnNetwork(import.meta.url, async (folder) => {
  const running: Peer[] = [];
  try {
    running.push(await backend(folder));
    const weir = await weirProxy(proxyCore);
    const nginx = await nginxForBodies(folder);
    running.push(weir, nginx);
    const rows = [];
    for (const size of sizes) rows.push(await compare(size, [weir, nginx]));
    conclude({
      bench: 'edge-bodies',
      rows,
      bounds,
      ok: rows.every(({ ratio, growthMiB }) => ratio >= bounds.ratio && growthMiB <= bounds.growthMiB),
    });
  } finally {
    for (const proxy of running.reverse()) await proxy.stop();
  }
});

async function backend(folder: string): Promise<Peer> {
  const files = `${folder}/files`;
  await mkdir(files);
  for (const { name, bytes } of sizes) await writeFile(`${files}/${name}`, Buffer.alloc(bytes, 'x'));
  const place = { name: 'backend', folder, core: loadCore, port: ports.backend };
  return startNginx(place, `sendfile on; server { listen 127.0.0.1:${ports.backend}; root ${files}; }`);
}

function nginxForBodies(folder: string): Promise<Peer> {
  const server = `
    upstream app { server 127.0.0.1:${ports.backend}; keepalive 128; }
    server {
      listen 127.0.0.1:${ports.nginx};
      location / {
        proxy_pass http://app;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_max_temp_file_size 0;
      }
    }`;
  return startNginx({ name: 'nginx', folder, core: proxyCore, port: ports.nginx }, server);
}

type Size = (typeof sizes)[number];

async function compare(size: Size, [weir, nginx]: readonly [Peer, Peer]) {
  const before = rssMiB(weir.pid);
  const best = { weir: 0, nginx: 0 };
  let peak = before;
  for (let round = 0; round < rounds; round++) {
    best.weir = Math.max(best.weir, await megabytesPerCpuSecond(weir, size));
    peak = Math.max(peak, rssMiB(weir.pid));
    best.nginx = Math.max(best.nginx, await megabytesPerCpuSecond(nginx, size));
  }
  const [ratio, growthMiB] = [best.weir / best.nginx, peak - before];
  console.log(
    `${size.name.padStart(5)}: weir ${best.weir.toFixed(0)}, nginx ${best.nginx.toFixed(0)} MB a CPU second: ` +
      `${ratio.toFixed(2)} (bound ${bounds.ratio}); weir's memory grew by ${growthMiB.toFixed(0)} MiB (bound ${bounds.growthMiB})`,
  );
  return { size: size.name, ...best, ratio, growthMiB };
}

async function megabytesPerCpuSecond(proxy: Peer, { name, bytes, connections }: Size): Promise<number> {
  const before = cpuMs(proxy.pid);
  const { stdout } = await run('taskset', [
    ...[
      '-c',
      String(loadCore),
      'wrk',
      '-t1',
      `-c${connections}`,
      `-d${seconds}s`,
      '-H',
      `Host: ${hostName(1)}`,
    ],
    `http://127.0.0.1:${proxy.port}/${name}`,
  ]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`${proxy.name} failed requests:\n${stdout}`);
  // What was read of bodies that were not complete at the end counts too.
  const [, read, unit] = /, ([\d.]+)([KMG])B read/.exec(stdout) ?? [];
  const megabytes = (Number(read) * { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit as 'K' | 'M' | 'G']) / 1e6;
  if (megabytes < bytes / 1e6) throw new Error(`${proxy.name} carried nothing:\n${stdout}`);
  return megabytes / ((cpuMs(proxy.pid) - before) / 1_000);
}

/** The most it had at any time. */
function rssMiB(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}
