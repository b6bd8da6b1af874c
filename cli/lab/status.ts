import type { Lab, LabHostStatus } from '../../conformance/lab/lab.ts';
import { revisionText } from '../commands/node.ts';
import type { NodeInfo } from '../master/answers.ts';
import { styled } from '../show/style.ts';
import { table } from '../show/table.ts';
import { labNodes } from './nodes.ts';
import type { Role } from './roles.ts';

export type HostReport = {
  readonly name: string;
  readonly address: string;
  readonly state: 'up' | 'cut' | 'down';
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number;
    readonly alive: boolean;
    readonly log: string;
  }[];
  /** As the master knows the host's agent; undefined: it does not answer, or does not know it. */
  readonly node: NodeInfo | undefined;
};

export async function labStatus(lab: Lab): Promise<readonly HostReport[]> {
  const [hosts, answer] = await Promise.all([lab.status(), labNodes(lab)]);
  const nodes = answer.known ? answer.nodes : [];
  return hosts.map((host) => ({
    name: host.name,
    address: host.address,
    state: stateOf(host),
    processes: host.processes.map(({ name, pid, alive, log }) => ({ name, pid, alive, log })),
    node: nodes.find(({ address }) => address === host.address),
  }));
}

export function statusTable(hosts: readonly HostReport[]): string {
  return table<HostReport>(
    [
      { head: 'HOST', of: ({ name }) => name },
      { head: 'ADDRESS', of: ({ address }) => address },
      { head: 'STATE', of: ({ state }) => styled(state === 'up' ? 'green' : 'red', state) },
      { head: 'MASTER', of: (host) => processText(host, 'master') },
      { head: 'AGENT', of: (host) => processText(host, 'agent') },
      { head: 'EDGE', of: ({ node }) => (node?.edge === true ? 'yes' : '-') },
      { head: 'CONNECTED', of: connectedText },
      { head: 'INSTANCES', right: true, of: ({ node }) => String(node?.instances ?? '-') },
      { head: 'REVISION', right: true, of: ({ node }) => (node === undefined ? '-' : revisionText(node)) },
    ],
    hosts,
  );
}

function stateOf({ up, cut }: LabHostStatus): HostReport['state'] {
  if (!up) return 'down';
  return cut ? 'cut' : 'up';
}

function processText({ processes }: HostReport, role: Role): string {
  const process = processes.find(({ name }) => name === role);
  if (process === undefined) return '-';
  return process.alive ? `pid ${process.pid}` : styled('red', 'dead');
}

function connectedText({ node }: HostReport): string {
  if (node === undefined) return '?';
  return node.connected ? styled('green', 'yes') : styled('red', 'no');
}
