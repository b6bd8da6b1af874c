import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunResult, run, tryRun } from '../../core/kit/exec.ts';
import { createTools, type Tools } from '../tools.ts';

/** A host of a test: a network namespace with an address on the underlay. */
export type TestHost = {
  readonly name: string;
  readonly address: string;
  /** Puts a command into the host's namespace. */
  readonly prefix: readonly string[];
  readonly tools: Tools;
  readonly dir: string;
  /** Makes a container's namespace. @returns its path */
  container(name: string): Promise<string>;
};

export type TestHosts = {
  readonly hosts: readonly TestHost[];
  /** Path of the namespace that holds the Ethernet. */
  readonly ethernet: string;
  /** Runs a command in a namespace, given by path. */
  inside(netns: string, argv: readonly string[]): Promise<RunResult>;
  close(): Promise<void>;
};

/** Hosts on one Ethernet of their own, 100.127.0.0/24, without a way out. Needs root. */
export async function openHosts(count: number): Promise<TestHosts> {
  await removeAbandoned();
  const id = `${prefixOf(process.pid)}${randomBytes(1).toString('hex')}`;
  const dir = await mkdtemp(join(tmpdir(), 'weir-overlay-'));
  const made: string[] = [];

  async function namespace(name: string): Promise<string> {
    await run('ip', ['netns', 'add', `${id}-${name}`]);
    made.push(`${id}-${name}`);
    await run('ip', ['-n', `${id}-${name}`, 'link', 'set', 'lo', 'up']);
    return `/run/netns/${id}-${name}`;
  }

  async function host(index: number): Promise<TestHost> {
    const name = `h${index}`;
    const path = await namespace(name);
    const address = `100.127.0.${index}`;
    const inside = ['-n', `${id}-${name}`];
    await run('ip', [
      '-n',
      `${id}-net`,
      'link',
      'add',
      `weirp${index}`,
      'type',
      'veth',
      'peer',
      'name',
      'weir0',
      'netns',
      `${id}-${name}`,
    ]);
    await run('ip', ['-n', `${id}-net`, 'link', 'set', `weirp${index}`, 'master', 'weirbr0', 'up']);
    await run('ip', [...inside, 'address', 'add', `${address}/24`, 'dev', 'weir0']);
    await run('ip', [...inside, 'link', 'set', 'weir0', 'up']);
    const prefix = ['nsenter', `--net=${path}`, '--'];
    const container = (label: string) => namespace(`${name}-${label}`);
    return { name, address, prefix, tools: createTools(prefix), dir: join(dir, name), container };
  }

  const ethernet = await namespace('net');
  await run('ip', ['-n', `${id}-net`, 'link', 'add', 'weirbr0', 'type', 'bridge']);
  await run('ip', ['-n', `${id}-net`, 'link', 'set', 'weirbr0', 'up']);
  const hosts: TestHost[] = [];
  for (let index = 1; index <= count; index += 1) hosts.push(await host(index));

  return {
    hosts,
    ethernet,
    inside: (netns, argv) => tryRun('nsenter', [`--net=${netns}`, '--', ...argv]),
    async close() {
      for (const name of made.toReversed()) await tryRun('ip', ['netns', 'del', name]);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The pid is part of each name, so that what a killed test left behind is known and goes with the next one. */
function prefixOf(pid: number): string {
  return `weir-o${pid}x`;
}

async function removeAbandoned(): Promise<void> {
  for (const netns of await readdir('/run/netns').catch(() => [])) {
    const pid = Number(/^weir-o(\d+)x/.exec(netns)?.[1] ?? process.pid);
    if (!existsSync(`/proc/${pid}`)) await tryRun('ip', ['netns', 'del', netns]);
  }
}
