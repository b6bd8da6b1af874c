import type { Command } from 'commander';
import { appId } from '../app/id.ts';
import { readQueue } from '../app/waiting.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { NodeInfo, PodInfo } from '../master/answers.ts';
import { podTable } from '../pod/list.ts';
import { podPage } from '../pod/show.ts';

export function register(program: Command): void {
  const pod = group(program, 'pod', 'look at pods: containers that live together');
  leaf(pod, 'list', 'list all pods').action(list);
  leaf(pod, 'show', 'show a pod: its containers, instances, last failure, why it waits')
    .argument('<pod>')
    .action(show);
}

async function list(_options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const [pods, queue] = await Promise.all([
    master.get<readonly PodInfo[]>('/v2/pods::status'),
    readQueue(master),
  ]);
  if (json) return printJson(pods);
  print(pods.length === 0 ? 'No pods.' : podTable(pods, queue));
}

async function show(pod: string, _options: object, command: Command): Promise<void> {
  const { master, json } = sessionOf(command);
  const id = appId(pod);
  const answer = await master.get<PodInfo>(`/v2/pods${id}::status`);
  if (json) return printJson(answer);
  const [queue, { nodes }] = await Promise.all([
    readQueue(master),
    master.get<{ nodes: readonly NodeInfo[] }>('/v1/nodes'),
  ]);
  print(podPage({ pod: answer, waiting: queue.get(id), nodes, now: Date.now() }));
}
