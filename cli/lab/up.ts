import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { createLab, type Lab, LabError } from '../../conformance/lab/lab.ts';
import { type Progress, startProgress } from '../show/progress.ts';
import { labDown } from './down.ts';
import { labNodes } from './nodes.ts';
import { labFolder } from './place.ts';
import { commandOf } from './roles.ts';

export type UpOptions = { readonly name: string; readonly hosts: number; readonly subnet?: string };

const connectWithinMs = 60_000;

/** A running cluster: resolves when every agent is connected. After a failure nothing of it is left. */
export async function labUp({ name, hosts, subnet }: UpOptions): Promise<Lab> {
  const lab = createLab({ name, dir: labFolder(name), hosts, ...(subnet === undefined ? {} : { subnet }) });
  const progress = startProgress();
  try {
    progress.say(`building ${hosts} hosts`);
    await lab.up();
    try {
      await startAll(lab, progress);
      await allConnected(lab, progress);
    } catch (error) {
      await labDown(lab.plan);
      throw error;
    }
    return lab;
  } finally {
    progress.end();
  }
}

async function startAll(lab: Lab, progress: Progress): Promise<void> {
  const [first] = lab.hosts;
  progress.say(`starting the master on ${first!.name}`);
  await lab.start(first!.name, 'master', commandOf(lab, first!, 'master'));
  progress.say(`starting an agent on each of ${lab.hosts.length} hosts`);
  for (const host of lab.hosts) await lab.start(host.name, 'agent', commandOf(lab, host, 'agent'));
}

async function allConnected(lab: Lab, progress: Progress): Promise<void> {
  const deadline = performance.now() + connectWithinMs;
  for (;;) {
    await allAlive(lab);
    const answer = await labNodes(lab);
    const connected = answer.known ? answer.nodes.filter((node) => node.connected).length : 0;
    if (connected >= lab.hosts.length) return;
    const state = answer.known ? `${connected} of ${lab.hosts.length} agents connected` : answer.reason;
    progress.say(`waiting for agents: ${state}`);
    if (performance.now() > deadline)
      throw new LabError(
        'WEIR_LAB_NOT_UP',
        `Lab ${lab.plan.name} is not up after ${connectWithinMs / 1000} s: ${state}`,
      );
    await pause(200);
  }
}

/** A process that ends at once will not come back by waiting; its last words say why. */
async function allAlive(lab: Lab): Promise<void> {
  for (const host of await lab.status()) {
    const dead = host.processes.find(({ alive }) => !alive);
    if (dead === undefined) continue;
    const words = (await readFile(dead.log, 'utf8').catch(() => '')).trim().split('\n').slice(-15).join('\n');
    throw new LabError(
      'WEIR_LAB_NOT_UP',
      `The ${dead.name} on ${host.name} ended at once. It wrote:\n${words}`,
    );
  }
}
