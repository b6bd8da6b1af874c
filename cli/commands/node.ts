import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import { idOf, readQueue, whyShort } from '../app/waiting.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { NodeInfo, QueueItem } from '../master/answers.ts';
import type { Master } from '../master/master.ts';
import { startProgress } from '../show/progress.ts';
import { styled } from '../show/style.ts';
import { table } from '../show/table.ts';
import { age, count } from '../show/words.ts';

export function register(program: Command): void {
  const node = group(program, 'node', 'look at the machines, and empty them');
  leaf(node, 'list', 'list all machines, who is connected, and how far each is behind the Directory').action(
    async (_options: object, command: Command) => {
      const { master, json } = sessionOf(command);
      const answer = await master.get<{ nodes: readonly Node[] }>('/v1/nodes');
      if (json) return printJson(answer);
      if (answer.nodes.length === 0)
        return print('No machines yet. Start one with: weir agent --master URL --address IP');
      print(nodeTable(answer.nodes, Date.now()));
    },
  );
  leaf(node, 'drain', 'move everything off a machine, replacements first, and place nothing on it')
    .argument('<node>', 'its name or id')
    .option('--no-wait', 'do not wait until it is empty')
    .action(drain);
  leaf(node, 'undrain', 'take a drained machine back').argument('<node>', 'its name or id').action(undrain);
  leaf(node, 'rm', 'forget a machine that is gone for good; what it ran is replaced at once')
    .argument('<node>', 'its name or id')
    .action(remove);
}

async function remove(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.send<Omit<Drained, 'draining'>>(
    'DELETE',
    `/v1/nodes/${encodeURIComponent(name)}`,
  );
  if (json) return printJson(answer);
  print(`${answer.hostname} is forgotten; ${count(answer.instances, 'instance')} of it will run elsewhere.`);
}

async function drain(name: string, { wait }: { wait: boolean }, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const drained = await master.send<Drained>('POST', drainPath(name));
  const last = wait ? await untilEmpty(master, drained) : drained;
  if (json) return printJson(last);
  const back = `Take it back with: weir node undrain ${last.hostname}`;
  if (last.instances === 0) return print(`${last.hostname} is empty and gets nothing new. ${back}`);
  if (!last.draining) return print(`${last.hostname} is not drained any more: somebody took it back.`);
  print(`${last.hostname} gets nothing new; ${count(last.instances, 'instance')} on it will move. ${back}`);
}

async function undrain(name: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const answer = await master.send<Drained>('DELETE', drainPath(name));
  if (json) return printJson(answer);
  print(`${answer.hostname} is given instances again.`);
}

type Drained = {
  readonly id: string;
  readonly hostname: string;
  readonly draining: boolean;
  readonly instances: number;
};

const everyMs = 500;

/** Resolves when the machine is empty, gone, or was taken back. */
async function untilEmpty(master: Master, drained: Drained): Promise<Drained> {
  const progress = startProgress();
  try {
    for (let last = drained; ; await pause(everyMs)) {
      const { nodes } = await master.get<{ nodes: readonly Node[] }>('/v1/nodes');
      const node = nodes.find(({ id }) => id === drained.id);
      if (node === undefined) return { ...last, instances: 0 };
      last = { ...last, draining: node.draining ?? false, instances: node.instances };
      if (last.instances === 0 || !last.draining) return last;
      const waits = [...(await readQueue(master)).values()].filter((item) => isHeldBack(item, drained.id));
      const why = waits.map((item) => `${idOf(item)}: ${whyShort(item)}`);
      progress.say([`${count(last.instances, 'instance')} on ${last.hostname}`, ...why].join('; '));
    }
  } finally {
    progress.end();
  }
}

/** Waits for a place, and the machine being drained is one it could not have. */
function isHeldBack({ refusals }: QueueItem, node: string): boolean {
  return (refusals ?? []).some(({ agentId, reason }) => agentId === node && reason === 'AgentMaintenance');
}

function drainPath(name: string): string {
  return `/v1/nodes/${encodeURIComponent(name)}/drain`;
}

type Node = NodeInfo & { readonly draining?: boolean };

function nodeTable(nodes: readonly Node[], now: number): string {
  return table<Node>(
    [
      { head: 'NODE', of: (node) => node.hostname },
      { head: 'ADDRESS', of: (node) => node.address },
      {
        head: 'STATE',
        of: stateOf,
      },
      { head: 'HEARD', right: true, of: (node) => age(node.lastHeard, now) },
      { head: 'INSTANCES', right: true, of: (node) => String(node.instances) },
      { head: 'CPUS', right: true, of: (node) => String(node.resources.cpus) },
      { head: 'MEM', right: true, of: (node) => String(node.resources.mem) },
      { head: 'RUNTIME', of: (node) => node.runtime },
      { head: 'ROLES', of: rolesOf },
      { head: 'REVISION', right: true, of: revisionText },
    ],
    nodes.toSorted((a, b) => (a.hostname < b.hostname ? -1 : 1)),
  );
}

function stateOf({ connected, draining, instances }: Node): string {
  if (!connected) return styled('red', draining ? 'lost, draining' : 'lost');
  if (draining) return styled('yellow', instances === 0 ? 'drained' : 'draining');
  return styled('green', 'connected');
}

function rolesOf({ edge, attributes }: NodeInfo): string {
  const roles = [...(attributes?.['weir.master'] === 'true' ? ['master'] : []), ...(edge ? ['edge'] : [])];
  return roles.join(',') || '-';
}

/** The revision every consumer there has in force, and how far that is behind. */
export function revisionText({ acks, consumers, revision }: NodeInfo): string {
  const inForce = Math.min(...consumers.map((consumer) => acks[consumer] ?? 0));
  if (!Number.isFinite(inForce)) return '-';
  return inForce >= revision
    ? String(inForce)
    : styled('yellow', `${inForce} (${revision - inForce} behind)`);
}
