import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import type { Api, AppInfo } from './api.ts';
import { chanceOf, seedOf } from './chance.ts';
import { script } from './definitions.ts';
import type { Host } from './host.ts';
import {
  type Bounds,
  boundFaults,
  readTrace,
  type Strategy,
  stillAlive,
  tracedServer,
  versionOf,
} from './life-trace.ts';
import { containerThings, differences, processesOfTask, traces } from './machine.ts';
import type { Masters } from './masters.ts';

const withinMs = 60_000;
/** From a start, or from when it serves, to the kill. */
const longestMs = 600;

type Case = {
  readonly id: string;
  readonly instances: number;
  readonly strategy: Strategy;
  readonly bounds: Bounds;
};

/** Rows of Marathon §15.4: with room on both sides, and with one instance more than there may be otherwise. */
const cases: readonly Case[] = [
  {
    id: '/half',
    instances: 4,
    strategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.25 },
    bounds: { atLeast: 2, atMost: 5 },
  },
  {
    id: '/whole',
    instances: 3,
    strategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 },
    bounds: { atLeast: 3, atMost: 4 },
  },
];

/**
 * Two apps are replaced again and again while the master is killed at moments that follow from a seed; then everything is as
 * it was asked for, the bounds were kept at every moment, and after their removal nothing is left.
 */
export async function deployUnderKills(
  t: Test,
  host: Host,
  { masters, kills }: { masters: Masters; kills: number },
): Promise<void> {
  const { api } = masters;
  const seed = seedOf(process.env);
  t.comment(`WEIR_SEED=${seed}`);
  const chance = chanceOf(seed);
  await served(api);
  await api.spread();
  await api.deploy(script('/first', []));
  await api.remove('/first');
  const before = await made(host);
  for (const { id, instances, strategy } of cases)
    await api.must('POST', '/v2/apps', tracedServer(host, id, { instances, strategy }));
  for (const { id, instances } of cases) await healthy(api, id, instances);

  let version = 0;
  for (let kill = 0; kill < kills; kill++) {
    // Some are killed before they serve, most while they do.
    if (chance() < 0.7 && (await served(api)) && (await idle(api))) await replaceAll(api, ++version);
    await pause(chance() * longestMs);
    await masters.kill();
    masters.revive();
  }
  await served(api);
  t.ok(version >= 1, `${kills} kills in ${version} deployments`);
  await settled(api);
  for (const each of cases) await asWanted(t, host, api, each);

  // The group around them all is the agent's, which goes on running.
  const things = (await containerThings(host.netns)).filter((path) => !/\/weir\/[^/]+$/.test(path));
  for (const { id } of cases) await api.remove(id);
  t.same(await differences(before, () => made(host)), [], 'nothing is left on the machine');
  const gone = await becomes(async () => !things.some((path) => existsSync(path)), withinMs);
  t.ok(gone, 'nor of their namespaces and control groups');
}

async function replaceAll(api: Api, version: number): Promise<void> {
  const env = versionOf(String(version));
  await api.must(
    'PUT',
    '/v2/apps',
    cases.map(({ id }) => ({ id, env })),
  );
}

async function asWanted(t: Test, host: Host, api: Api, { id, instances, bounds }: Case): Promise<void> {
  const app = await healthy(api, id, instances);
  const tasks = await api.tasks(id);
  const moments = readTrace(host).filter((moment) => moment.app === id);
  t.equal(tasks.length, instances, `${id} has as many instances as it wants`);
  t.same(
    tasks.map((task) => task.version).filter((version) => version !== app.version),
    [],
    'all of the last version',
  );
  t.same(boundFaults(moments, instances, bounds), [], `bounds held at each of ${moments.length} moments`);
  const ids = tasks.map((task) => task.id).toSorted();
  t.same(stillAlive(moments), ids, 'every other instance that ever started has ended');
  t.ok(ids.every((task) => processesOfTask(task).length > 0));
}

/** What containers leave on a machine; Weir's own processes come and go in this test. */
async function made(host: Host): Promise<readonly string[]> {
  return (await traces(host)).filter(
    (line) =>
      (!line.startsWith('process: ') || line.includes('conmon')) &&
      // How to choose among so many is kept for the next virtual address with so many.
      !/^nft: .*(tcp-of-|numgen)/.test(line),
  );
}

async function idle(api: Api): Promise<boolean> {
  return (await api.must<readonly unknown[]>('GET', '/v2/deployments')).length === 0;
}

async function served(api: Api): Promise<boolean> {
  return becomes(
    () =>
      api.must('GET', '/v2/info').then(
        () => true,
        () => false,
      ),
    withinMs,
  );
}

async function settled(api: Api): Promise<void> {
  if (!(await becomes(() => idle(api).catch(() => false), withinMs)))
    throw new Error(`deployments do not end: ${JSON.stringify(await api.must('GET', '/v2/deployments'))}`);
}

function healthy(api: Api, id: string, instances: number): Promise<AppInfo> {
  return api.until(id, (app) => app.tasksHealthy === instances && app.deployments.length === 0);
}
