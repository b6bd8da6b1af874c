import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunOptions, type RunResult, run, tryRun } from '../../core/kit/exec.ts';
import { becomes, signalTo, startTimeOf } from '../lab/processes.ts';
import { mountsBelow } from '../lab/teardown.ts';
import { containerNamespaces, groupsOf, netnsFolder, processesIn, removeGroups } from './machine.ts';
import { openTunnel, type Tunnel } from './tunnel.ts';

/** A machine of its own for one test: a network namespace without a way out, and a folder. */
export type Host = {
  readonly netns: string;
  /** For everything the product and the test write. */
  readonly dir: string;
  /** TCP connections from this process into the namespace. */
  readonly tunnel: Tunnel;
  /** Runs a program in the namespace to its end, whatever the exit code. */
  exec(argv: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The same by a shell line; throws when it fails. */
  shell(line: string, options?: RunOptions): Promise<string>;
  /** The arguments that make any program run in the namespace. */
  inside(argv: readonly string[]): readonly [string, ...string[]];
};

type Teardown = { teardown(end: () => Promise<void>): void };

/** Names tell who made them, so that what a killed test left behind is found by the next. */
const namePattern = /^weir-p([0-9a-z]+)-[a-z]+$/;

/** Makes a machine for a test and takes it down with everything on it when the test ends, however it ends. */
export async function openHost(t: Teardown, label: string): Promise<Host> {
  await sweep();
  const netns = `weir-p${process.pid.toString(36)}-${label}`;
  const dir = folderOf(netns);
  mkdirSync(dir, { mode: 0o755 });
  t.teardown(() => removeHost(netns));
  await run('ip', ['netns', 'add', netns]);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  const inside = (argv: readonly string[]): readonly [string, ...string[]] => [
    'nsenter',
    `--net=${join(netnsFolder, netns)}`,
    '--',
    ...argv,
  ];
  const tunnel = await openTunnel(inside, join(dir, 'tunnel.sock'));
  const exec = (argv: readonly string[], options?: RunOptions) => {
    const [program, ...args] = inside(argv);
    return tryRun(program, args, options);
  };
  return {
    netns,
    dir,
    tunnel,
    inside,
    exec,
    async shell(line, options) {
      const [program, ...args] = inside(['sh', '-c', line]);
      return run(program, args, options);
    },
  };
}

function folderOf(netns: string): string {
  return join(tmpdir(), netns);
}

/** Needs nothing but the name, and may be repeated. */
async function removeHost(netns: string): Promise<void> {
  const containers = await containerNamespaces(netns);
  const namespaces = [netns, ...containers];
  const groups = new Set<string>();
  const ended = await becomes(async () => {
    const pids = processesIn(namespaces);
    for (const pid of pids) {
      for (const group of groupsOf(pid)) groups.add(group);
      signalTo(pid, 'SIGKILL');
    }
    return pids.length === 0;
  }, 15_000);
  if (!ended) throw new Error(`processes ${processesIn(namespaces).join(', ')} of ${netns} do not end`);
  const dir = folderOf(netns);
  for (const path of mountsBelow(dir).toReversed()) await tryRun('umount', ['--lazy', path]);
  await becomes(async () => removeGroups(groups), 5_000);
  for (const name of namespaces)
    if (existsSync(join(netnsFolder, name))) await run('ip', ['netns', 'delete', name]);
  await run('rm', ['-rf', '--one-file-system', '--', dir]);
}

/** Takes down what tests left that were killed before they could. */
async function sweep(): Promise<void> {
  const names = existsSync(netnsFolder) ? readdirSync(netnsFolder) : [];
  for (const name of names) {
    const maker = namePattern.exec(name)?.[1];
    if (maker === undefined) continue;
    if ((await startTimeOf(Number.parseInt(maker, 36))) === undefined) await removeHost(name);
  }
}
