import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { systemClock } from '../../../core/kit/clock.ts';
import type { ContainerEnd, ContainerRuntime, ContainerSpec } from '../../runtime.ts';
import { RuncRuntime, type RuncRuntimeOptions } from './runc-runtime.ts';

export const needsRoot = process.getuid?.() === 0 ? false : 'needs root';

export type RuncHost = {
  readonly dir: string;
  readonly dataDir: string;
  readonly scope: string;
  /** A second call is a restarted agent. */
  readonly open: (options?: Partial<RuncRuntimeOptions>) => RuncRuntime;
  readonly spec: (id: string, line: string, some?: Partial<ContainerSpec>) => ContainerSpec;
  /** Runs a shell line to its end and gives what it wrote to standard output. */
  readonly outputOf: (line: string, some?: Partial<ContainerSpec>) => Promise<string>;
};

/** A data directory for one test; afterwards every container in it is removed. */
export async function runcHost(t: Test): Promise<RuncHost> {
  const dir = await mkdtemp(join(tmpdir(), 'weir-runc-'));
  const dataDir = join(dir, 'data');
  const scope = `test-${process.pid}-${dir.slice(-6)}`;
  const open = (options: Partial<RuncRuntimeOptions> = {}) =>
    new RuncRuntime({ dataDir, scope, clock: systemClock, ...options });
  const spec = (id: string, line: string, some: Partial<ContainerSpec> = {}): ContainerSpec => ({
    id,
    command: { kind: 'argv', argv: ['/bin/sh', '-c', line] },
    env: {},
    rootfs: { kind: 'host' },
    mounts: [],
    files: {},
    netns: { kind: 'host' },
    cpus: 0.1,
    mem: 64,
    logDir: join(dir, 'logs', id),
    labels: null,
    ...some,
  });
  t.teardown(async () => {
    const runtime = open();
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await rm(dir, { recursive: true, force: true });
  });
  const outputOf = async (line: string, some?: Partial<ContainerSpec>) => {
    const runtime = open();
    const job = spec('job', line, some);
    await runtime.create(job);
    await runtime.start(job.id);
    await endOf(runtime, job.id);
    const lines = await Array.fromAsync(runtime.log(job.logDir, { tail: 1_000, stream: 'stdout' }));
    await runtime.remove(job.id);
    await rm(job.logDir, { recursive: true });
    return lines.map(({ text }) => `${text}\n`).join('');
  };
  return { dir, dataDir, scope, open, spec, outputOf };
}

export async function endOf(runtime: ContainerRuntime, id: string): Promise<ContainerEnd> {
  for await (const exit of runtime.exits(new AbortController().signal)) {
    if (exit.id === id) return exit.end;
  }
  throw new Error('unreachable: the signal never aborts');
}

/** Mounts, cgroups and processes that name the host's directory or scope. */
export async function tracesOf(host: RuncHost): Promise<readonly string[]> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(host.dir));
  const hierarchies = (await readdir('/sys/fs/cgroup')).map((name) => join('/sys/fs/cgroup', name, 'weir'));
  const cgroups: string[] = [];
  for (const dir of [...hierarchies, '/sys/fs/cgroup/weir']) {
    const scopes: readonly string[] = await readdir(dir).catch(() => []);
    if (scopes.includes(host.scope)) cgroups.push(join(dir, host.scope));
  }
  const processes: string[] = [];
  for (const pid of (await readdir('/proc')).filter(
    (name) => /^\d+$/.test(name) && name !== String(process.pid),
  )) {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (command.includes(host.dataDir)) processes.push(`${pid} ${command}`);
  }
  return [...mounts, ...cgroups, ...processes];
}
