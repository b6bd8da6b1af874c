/**
 * CPU of the edge's worker for a WebSocket message there and back, beside nginx in the same run: 100 connections, each with one message
 * of 64 bytes on its way. Rounds take turns, and the least disturbed round of each is compared.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { cpuMs, hostName, type Peer, ports, startNginx, weirProxy } from './edge-peers.ts';
import { insideOwnNetwork } from './inside.ts';
import { conclude } from './numbers.ts';

const rounds = Number(process.argv[2] ?? 5);
const seconds = Number(process.argv[3] ?? 2);
const connections = 100;
const bound = 1.5;
const [proxyCore, loadCore] = [0, 1];
const run = promisify(execFile);
const service = fileURLToPath(new URL('../lb/edge/testing/steady/backend.ts', import.meta.url));
const client = fileURLToPath(new URL('websocket-load.ts', import.meta.url));

await insideOwnNetwork(import.meta.url, async (folder) => {
  const running: { stop(): Promise<void> }[] = [];
  try {
    running.push(await backend());
    const weir = await weirProxy(proxyCore);
    const nginx = await nginxForWebSockets(folder);
    running.push(weir, nginx);
    const costs = await measure([weir, nginx]);
    report(costs.weir, costs.nginx);
  } finally {
    for (const peer of running.reverse()) await peer.stop();
  }
});

async function backend() {
  const args = ['-c', String(loadCore), process.execPath, service, '1', String(ports.backend)];
  const child = spawn('taskset', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function nginxForWebSockets(folder: string): Promise<Peer> {
  const server = `
    server {
      listen 127.0.0.1:${ports.nginx};
      location / {
        proxy_pass http://127.0.0.1:${ports.backend};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
      }
    }`;
  return startNginx({ name: 'nginx', folder, core: proxyCore, port: ports.nginx }, server);
}

/** Microseconds of CPU a message, there and back. */
async function measure(proxies: readonly Peer[]) {
  const best = { weir: Number.POSITIVE_INFINITY, nginx: Number.POSITIVE_INFINITY };
  for (let round = 0; round < rounds; round++) {
    for (const proxy of proxies) {
      const args = [client, proxy.port, hostName(1), connections, seconds].map(String);
      const before = cpuMs(proxy.pid);
      const { stdout } = await run('taskset', ['-c', String(loadCore), process.execPath, ...args]);
      const cost = ((cpuMs(proxy.pid) - before) * 1_000) / Number(stdout);
      const name = proxy.name as keyof typeof best;
      best[name] = Math.min(best[name], cost);
    }
  }
  return best;
}

function report(weir: number, nginx: number): void {
  const ratio = weir / nginx;
  console.log(
    `weir ${weir.toFixed(1)}, nginx ${nginx.toFixed(1)} µs of CPU a message there and back: ${ratio.toFixed(2)} (bound ${bound})`,
  );
  conclude({ bench: 'edge-websocket', microseconds: { weir, nginx }, ratio, bound, ok: ratio <= bound });
}
