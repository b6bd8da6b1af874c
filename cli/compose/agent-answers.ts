import type { Agent } from '../../agent/agent.ts';
import { containersOf } from '../../agent/containers.ts';
import type { LogFolders } from '../../agent/log-folders.ts';
import type { ContainerId, ContainerRuntime } from '../../agent/runtime.ts';
import type { InstanceId } from '../../core/model/ids.ts';
import type { AgentQuestion, LogText } from '../../core/model/master-port.ts';
import type { DnsConsumer } from '../../dns/consumer.ts';
import type { WhyLink, WhyQuestion } from '../../lb/edge/why/why.ts';
import type { VipConsumer } from '../../lb/vip/vip-consumer.ts';

export type AnswerParts = {
  agent: Agent;
  runtime: ContainerRuntime;
  dns: DnsConsumer;
  vip: VipConsumer;
  edge: { why(question: WhyQuestion): Promise<readonly WhyLink[]> } | undefined;
  logs: LogFolders;
};

/** What only this agent knows, for whoever asked the master. */
export async function answer(
  question: AgentQuestion,
  { agent, runtime, dns, vip, edge, logs }: AnswerParts,
): Promise<unknown> {
  if (question.kind === 'explain-name') return dns.explain({ name: question.name, type: question.type });
  if (question.kind === 'dns-queries') return dns.queries();
  if (question.kind === 'edge-why') return edge?.why(question);
  if (question.kind === 'vips') return vip.nodeStatus(new Set(question.addresses));
  return logText(question, { agent, runtime, logs });
}

/** Also of an instance that has ended and been forgotten, as long as its log is kept. */
async function logText(
  question: LogQuestion,
  { agent, runtime, logs }: Pick<AnswerParts, 'agent' | 'runtime' | 'logs'>,
): Promise<LogText> {
  const { stream, tail, instanceId } = question;
  const records = [...agent.instances.all.values()];
  const record = records.findLast(({ assignment }) => assignment.placement.instanceId === instanceId);
  const ids =
    record === undefined
      ? newestAttempt(instanceId, await logs.containersOf(instanceId))
      : containersOf(record.assignment).map(({ id }) => id);
  const id = loggedContainer(ids, question);
  const logDir = await folderOf(id, question, { runtime, logs });
  const lines: { stream: 'stdout' | 'stderr'; text: string }[] = [];
  const which = { tail, ...(stream === 'both' ? {} : { stream }) };
  for await (const line of runtime.log(logDir, which)) lines.push({ stream: line.stream, text: line.text });
  const isOver = record === undefined || record.state.kind === 'ended';
  return { lines, ...(isOver ? { over: true } : {}) };
}

/** One that was made by a Weir of before may have its log elsewhere: only then all containers are asked for. */
async function folderOf(
  id: ContainerId,
  { instanceId }: LogQuestion,
  { runtime, logs }: Pick<AnswerParts, 'runtime' | 'logs'>,
): Promise<string> {
  const usual = logs.path(instanceId, id);
  if ((await logs.containersOf(instanceId)).includes(id)) return usual;
  return (await runtime.list()).find((container) => container.id === id)?.logDir ?? usual;
}

function newestAttempt(instance: InstanceId, ids: readonly ContainerId[]): readonly ContainerId[] {
  const attempt = (id: ContainerId) => Number.parseInt(id.slice(instance.length + 1), 10);
  const newest = Math.max(...ids.map(attempt));
  return ids.filter((id) => attempt(id) === newest);
}

type LogQuestion = Extract<AgentQuestion, { kind: 'log' }>;

/** Of a pod it must be said which container is meant, unless it has one only. Throws an error that says what there is. */
function loggedContainer(
  ids: readonly ContainerId[],
  { instanceId, container }: Pick<LogQuestion, 'instanceId' | 'container'>,
): ContainerId {
  if (ids.length === 0) throw new Error(`there is no instance ${instanceId} here, and no log of it is kept`);
  const nameOf = (id: ContainerId) => id.slice(instanceId.length + 1).split('.')[1];
  const found = container === undefined ? ids : ids.filter((id) => nameOf(id) === container);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const names = ids.flatMap((id) => nameOf(id) ?? []).join(', ') || 'no names';
  throw new Error(`it is not clear which container of ${instanceId} is meant; they are: ${names}`);
}
