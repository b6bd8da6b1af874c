import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** A host and its containers as network namespaces without a route out; plugins run inside the host's. */
export type Lab = {
  /** Command that runs another in the host's namespace. */
  readonly prefix: readonly string[];
  /** A temporary folder. */
  readonly dir: string;
  /** Makes the namespace of a container. @returns its path */
  container(name: string): Promise<string>;
  removeContainer(name: string): Promise<void>;
  /** Runs a command in the host. @returns standard output */
  onHost(...command: readonly string[]): Promise<string>;
  in(container: string, ...command: readonly string[]): Promise<string>;
  /** Removes everything. */
  close(): Promise<void>;
};

export async function openLab(): Promise<Lab> {
  const id = `weir${randomBytes(3).toString('hex')}`;
  const host = `${id}-host`;
  const containers = new Set<string>();
  const dir = await mkdtemp(join(tmpdir(), 'weir-cni-'));
  await execa('ip', ['netns', 'add', host]);
  await execa('ip', ['-n', host, 'link', 'set', 'lo', 'up']);

  const run = async (netns: string, command: readonly string[]) =>
    (await execa('nsenter', [`--net=/run/netns/${netns}`, '--', ...command])).stdout;

  async function removeContainer(name: string): Promise<void> {
    containers.delete(name);
    await execa('ip', ['netns', 'del', `${id}-${name}`], { reject: false });
  }

  return {
    prefix: ['nsenter', `--net=/run/netns/${host}`, '--'],
    dir,
    async container(name) {
      containers.add(name);
      await execa('ip', ['netns', 'add', `${id}-${name}`]);
      return `/run/netns/${id}-${name}`;
    },
    removeContainer,
    onHost: (...command) => run(host, command),
    in: (container, ...command) => run(`${id}-${container}`, command),
    async close() {
      for (const name of containers) await removeContainer(name);
      await execa('ip', ['netns', 'del', host], { reject: false });
      await rm(dir, { recursive: true, force: true });
    },
  };
}
