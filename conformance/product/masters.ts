import { join } from 'node:path';
import { becomes } from '../lab/processes.ts';
import { Api } from './api.ts';
import type { Host } from './host.ts';
import { dataOf, launch, type Running, spawnWeir } from './product.ts';

/** Weir on a host, whose master a test kills and starts again. */
export type Masters = {
  readonly api: Api;
  /** kill -9 of the one that serves; with it goes what shares its process. Resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts what was killed, and does not wait for it. */
  revive(): void;
};

/** Where a cluster in one namespace has its only agent. */
const agentAddress = '100.127.255.1';
const withinMs = 60_000;

/** Master and agent are one process. */
export async function oneProcess(host: Host): Promise<Masters> {
  let running = launch(host, {});
  return {
    api: running.api,
    async kill() {
      await running.end('SIGKILL');
    },
    revive() {
      running = launch(host, {});
    },
  };
}

/** A master and an agent: the agent goes on while there is no master. */
export async function twoProcesses(host: Host): Promise<Masters> {
  await startAgent(host);
  return group(host, [() => startMaster(host, 'one', [])]);
}

/** Masters on one store, of which one serves; all are told the same address, which is the leader's to listen on. */
export async function standbys(host: Host, store: string): Promise<Masters> {
  await startAgent(host);
  return group(
    host,
    ['one', 'two', 'three'].map((name) => () => startMaster(host, name, ['--store', store])),
  );
}

function group(host: Host, starts: readonly (() => Running)[]): Masters {
  const running = starts.map((start) => start());
  let killed = -1;
  return {
    api: new Api(host.tunnel),
    async kill() {
      killed = await leaderOf(running);
      await running[killed]?.end('SIGKILL');
    },
    revive() {
      const start = starts[killed];
      if (start !== undefined) running[killed] = start();
    },
  };
}

/** The one that leads; a single one also while it only starts. */
async function leaderOf(running: readonly Running[]): Promise<number> {
  if (running.length === 1) return 0;
  let leader = -1;
  await becomes(async () => {
    leader = running.findIndex((master) => master.output().includes('master serves'));
    return leader >= 0;
  }, withinMs);
  return leader;
}

async function startAgent(host: Host): Promise<void> {
  await host.shell(`ip address replace ${agentAddress}/32 dev lo`);
  const data = join(dataOf(host), 'agent');
  spawnWeir(host, ['agent', '--address', agentAddress, '--hostname', 'h1', '--data', data, '--edge']);
}

function startMaster(host: Host, name: string, flags: readonly string[]): Running {
  const data = join(dataOf(host), name);
  return spawnWeir(host, ['master', '--network-backend', 'host-gw', '--data', data, ...flags]);
}
