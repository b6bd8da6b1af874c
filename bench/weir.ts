import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../weir', import.meta.url));
const root = fileURLToPath(new URL('..', import.meta.url));
/** The volume that shows an app this clone, also where the clone is in a folder that containers have for themselves (/tmp). */
export const clone = { hostPath: root, containerPath: root, mode: 'RO' };

const readyWithinMs = 30_000;

export const api = 'http://127.0.0.1:8080';
export const edge = { host: '127.0.0.1', port: 8000 };

/** A whole `weir dev` in this network namespace, taken down again by `stop`. */
export async function startWeir(
  folder: string,
  flags: readonly string[] = [],
): Promise<{ pid: number; stop(): Promise<void> }> {
  const child = spawn(program, ['dev', '--data', `${folder}/data`, ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await until(async () => (await get('/v1/nodes')).nodes?.[0]?.connected === true, child);
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGINT');
      await ended(child);
      await ended(
        spawn(program, ['down', '--data', `${folder}/data`], { stdio: ['ignore', 'ignore', 'inherit'] }),
      );
    },
  };
}

// biome-ignore lint/suspicious/noExplicitAny: answers of the API, read by those who know what they asked for
export async function get(path: string): Promise<any> {
  const response = await fetch(api + path);
  return response.json();
}

export async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const response = await fetch(api + path, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response;
}

/** Resolves when no deployment is left. */
export async function settled(): Promise<void> {
  await until(async () => (await get('/v2/deployments')).length === 0);
}

export async function until(holds: () => Promise<boolean>, child?: ChildProcess): Promise<void> {
  const deadline = performance.now() + readyWithinMs;
  for (;;) {
    if (await holds().catch(() => false)) return;
    if (child !== undefined && child.exitCode !== null) throw new Error(`weir ended with ${child.exitCode}`);
    if (performance.now() > deadline) throw new Error(`not within ${readyWithinMs / 1000} s`);
    await delay(2);
  }
}

/** Process ids of a process and all below it. */
export function family(root: number): readonly number[] {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => [Number(name), parentOf(Number(name))]),
  );
  const below = (pid: number): readonly number[] => [
    pid,
    ...[...parents].filter(([, parent]) => parent === pid).flatMap(([child]) => below(child)),
  ];
  return below(root);
}

function parentOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return 0;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}
