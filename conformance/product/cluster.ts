import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunResult } from '../../core/kit/exec.ts';
import { createLab, type Lab, removeLab } from '../lab/lab.ts';
import { netnsPath } from '../lab/names.ts';
import { becomes, startTimeOf } from '../lab/processes.ts';
import { Api } from './api.ts';
import { netnsFolder } from './machine.ts';
import { program } from './product.ts';
import { openTunnel } from './tunnel.ts';

/** Machines of their own for one test; a master on the first, an agent on each. */
export type Cluster = {
  readonly lab: Lab;
  readonly api: Api;
  /** A command of Weir, as a person gives it on the master's machine. */
  weir(...words: readonly string[]): Promise<RunResult>;
};

export type ClusterOptions = {
  /** Flags of each machine's agent; as many machines as there are of these. */
  readonly agents: readonly (readonly string[])[];
  readonly masterFlags?: readonly string[];
};

type Teardown = { teardown(end: () => Promise<void>): void };

const readyWithinMs = 60_000;
/** The name of a lab in those of its namespaces, and who made it. */
const namePattern = /^weir-(x([0-9a-z]+)-[a-z]+)-net$/;

/** Resolves when every agent is connected and has everything in force. */
export async function startCluster(
  t: Teardown,
  label: string,
  { agents, masterFlags = [] }: ClusterOptions,
): Promise<Cluster> {
  await sweep();
  const name = `x${process.pid.toString(36)}-${label}`;
  const lab = createLab({ name, dir: folderOf(name), hosts: agents.length });
  t.teardown(() => lab.down());
  await lab.up();
  const [first] = lab.hosts;
  const joinSecret = ['--join-secret', `secret-${name}`];
  const masterData = ['--api', '0.0.0.0:8080', '--data', `${first?.dir}/master`, ...joinSecret];
  await lab.start('h1', 'master', [program, 'master', ...masterData, ...masterFlags]);
  for (const [index, { name, address, dir }] of lab.hosts.entries()) {
    const identity = ['--address', address, '--hostname', name, '--data', `${dir}/agent`];
    const scope = ['--scope', `${lab.plan.name}/${name}`];
    const flags = ['--master', `http://${first?.address}:8080`, ...identity, ...scope, ...joinSecret];
    await lab.start(name, 'agent', [program, 'agent', ...flags, ...(agents[index] ?? [])]);
  }
  const inside = (argv: readonly string[]): readonly [string, ...string[]] => [
    'nsenter',
    `--net=${netnsPath(first?.netns ?? '')}`,
    '--',
    ...argv,
  ];
  const api = new Api(await openTunnel(inside, join(lab.plan.dir, 'tunnel.sock')));
  const connected = await becomes(async () => {
    const nodes = await api.must<{ nodes: unknown[] }>('GET', '/v1/nodes').catch(() => undefined);
    return nodes?.nodes.length === agents.length && (await api.inForce());
  }, readyWithinMs);
  if (!connected) throw new Error(`not all agents of ${label} are connected:\n${await wordsOf(lab)}`);
  return { lab, api, weir: (...words) => lab.exec('h1', [program, ...words]) };
}

function folderOf(name: string): string {
  return join(tmpdir(), `weir-${name}`);
}

/** Takes down what tests left that were killed before they could. */
async function sweep(): Promise<void> {
  const names = readdirSync(netnsFolder, { encoding: 'utf8' }).map((netns) => namePattern.exec(netns));
  const makers = new Map(
    names.flatMap((found) => (found === null ? [] : [[found[1] ?? '', found[2] ?? '']])),
  );
  for (const [name, maker] of makers)
    if ((await startTimeOf(Number.parseInt(maker, 36))) === undefined)
      await removeLab({ name, dir: folderOf(name) });
}

/** The last that each process wrote. */
async function wordsOf(lab: Lab): Promise<string> {
  const processes = (await lab.status()).flatMap((host) =>
    host.processes.map((each) => ({ host: host.name, ...each })),
  );
  return processes
    .map(({ host, name, alive, log }) => {
      const lines = readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n');
      return `${name} on ${host} (${alive ? 'runs' : 'ended'}): ${lines}`;
    })
    .join('\n');
}
