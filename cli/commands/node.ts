import type { Command } from 'commander';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { NodeInfo } from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { table } from '../show/table.ts';
import { age } from '../show/words.ts';

export function register(program: Command): void {
  const node = group(program, 'node', 'look at the machines');
  leaf(node, 'list', 'list all machines, who is connected, and how far each is behind the Directory').action(
    async (_options: object, command: Command) => {
      const { master, json } = sessionOf(command);
      const answer = await master.get<{ nodes: readonly NodeInfo[] }>('/v1/nodes');
      if (json) return printJson(answer);
      if (answer.nodes.length === 0)
        return print('No machines yet. Start one with: weir agent --master URL --address IP');
      print(nodeTable(answer.nodes, Date.now()));
    },
  );
}

function nodeTable(nodes: readonly NodeInfo[], now: number): string {
  return table<NodeInfo>(
    [
      { head: 'NODE', of: (node) => node.hostname },
      { head: 'ADDRESS', of: (node) => node.address },
      {
        head: 'STATE',
        of: (node) => (node.connected ? styled('green', 'connected') : styled('red', 'lost')),
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
