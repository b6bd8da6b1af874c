import type { Command } from 'commander';
import type { ChangeOptions } from '../app/change.ts';
import { readDefinition } from '../app/definition.ts';
import { appId } from '../app/id.ts';
import { readQueue } from '../app/waiting.ts';
import { changing } from '../changing.ts';
import { group, leaf, print, printJson, sessionOf } from '../globals.ts';
import type { NodeInfo, PodInfo } from '../master/answers.ts';
import { wholeNumber } from '../options/numbers.ts';
import { changePod } from '../pod/change.ts';
import { podTable } from '../pod/list.ts';
import { podPage } from '../pod/show.ts';

export function register(program: Command): void {
  const pod = group(program, 'pod', 'add, look at, change and remove pods: containers that live together');
  changing(leaf(pod, 'add', 'add a pod from a JSON definition and wait until it runs'))
    .argument('<file>', 'the definition; - for standard input')
    .action(add);
  leaf(pod, 'list', 'list all pods').action(list);
  leaf(pod, 'show', 'show a pod: its containers, instances, last failure, why it waits')
    .argument('<pod>')
    .action(show);
  changing(leaf(pod, 'scale', 'change how many instances a pod has'))
    .argument('<pod>')
    .argument('<instances>', 'how many', wholeNumber)
    .action(scale);
  changing(leaf(pod, 'update', 'give a pod another definition; instances are replaced'))
    .argument('<pod>')
    .argument('<file>', 'the definition, all of it; - for standard input')
    .action(update);
  changing(leaf(pod, 'rm', 'remove a pod'))
    .argument('<pod>')
    .action(remove);
}

async function add(file: string, options: ChangeOptions, command: Command): Promise<void> {
  const body = await readDefinition(file);
  const pod = appId(String(body['id'] ?? ''));
  const change = { method: 'POST', path: '/v2/pods', pod, done: 'is deployed', body } as const;
  await changePod(sessionOf(command), change, options);
}

async function scale(
  name: string,
  instances: number,
  options: ChangeOptions,
  command: Command,
): Promise<void> {
  const session = sessionOf(command);
  const pod = appId(name);
  const path = `/v2/pods${pod}`;
  const { version: _, ...before } = await session.master.get<{ version?: string; scaling?: object }>(path);
  const body = { ...before, scaling: { kind: 'fixed', ...before.scaling, instances } };
  await changePod(session, { method: 'PUT', path, pod, done: 'is scaled', body }, options);
}

async function update(name: string, file: string, options: ChangeOptions, command: Command): Promise<void> {
  const pod = appId(name);
  const body = await readDefinition(file);
  const change = { method: 'PUT', path: `/v2/pods${pod}`, pod, done: 'is updated', body } as const;
  await changePod(sessionOf(command), change, options);
}

async function remove(name: string, options: ChangeOptions, command: Command): Promise<void> {
  const pod = appId(name);
  const change = { method: 'DELETE', path: `/v2/pods${pod}`, pod, done: 'is removed' } as const;
  await changePod(sessionOf(command), change, options);
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
