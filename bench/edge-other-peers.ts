import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { hostCount, hostName, type Peer, ports, quiet, started } from './edge-peers.ts';

/**
 * Caddy on one core, as it comes: it keeps 32 upstream connections. It adds the X-Forwarded fields by itself.
 */
export async function caddyProxy(folder: string, core: number): Promise<Peer> {
  const host = Array.from({ length: hostCount }, (_, n) => hostName(n));
  const proxy = { handler: 'reverse_proxy', upstreams: [{ dial: `127.0.0.1:${ports.backend}` }] };
  const server = {
    listen: [`127.0.0.1:${ports.caddy}`],
    automatic_https: { disable: true },
    routes: [{ match: [{ host }], handle: [proxy] }],
  };
  const file = `${folder}/caddy.json`;
  const log = { logs: { default: { level: 'ERROR' } } };
  const config = { admin: { disabled: true }, logging: log, apps: { http: { servers: { public: server } } } };
  await writeFile(file, JSON.stringify(config));
  const env = { ...process.env, GOMAXPROCS: '1', XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  const child = spawn('taskset', ['-c', String(core), 'caddy', 'run', '--config', file], { ...quiet, env });
  return started({ name: 'caddy', port: ports.caddy, pid: child.pid ?? 0 }, child);
}

/** The proxy of the npm world, as it comes, in the runtime that Weir itself runs in. */
export async function httpProxy(core: number): Promise<Peer> {
  const entry = fileURLToPath(new URL('./http-proxy-process.ts', import.meta.url));
  const child = spawn('taskset', ['-c', String(core), process.execPath, entry], quiet);
  return started({ name: 'http-proxy', port: ports.httpProxy, pid: child.pid ?? 0 }, child);
}
