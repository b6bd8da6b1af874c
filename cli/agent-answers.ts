import { join } from 'node:path';
import type { Agent } from '../agent/agent.ts';
import { containersOf } from '../agent/containers.ts';
import type { ContainerRuntime } from '../agent/runtime.ts';
import type { AgentQuestion, LogText } from '../core/model/master-port.ts';
import type { DnsConsumer } from '../dns/consumer.ts';
import type { EdgeConsumer } from '../lb/edge/consumer.ts';
import type { VipConsumer } from '../lb/vip/vip-consumer.ts';

export type AnswerParts = {
  agent: Agent;
  runtime: ContainerRuntime;
  dns: DnsConsumer;
  vip: VipConsumer;
  edge: EdgeConsumer | undefined;
  containers: string;
};

/** What only this agent knows, for whoever asked the master. */
export async function answer(
  question: AgentQuestion,
  { agent, runtime, dns, vip, edge, containers }: AnswerParts,
): Promise<unknown> {
  if (question.kind === 'explain-name') return dns.explain({ name: question.name, type: question.type });
  if (question.kind === 'dns-queries') return dns.queries();
  if (question.kind === 'edge-why') return edge?.why(question);
  if (question.kind === 'vips') return vip.nodeStatus(new Set(question.addresses));
  const id = loggedContainer(agent, question);
  const { stream, tail } = question;
  const lines: { stream: 'stdout' | 'stderr'; text: string }[] = [];
  for await (const line of runtime.log(join(containers, id, 'log'), {
    tail,
    ...(stream === 'both' ? {} : { stream }),
  })) {
    lines.push({ stream: line.stream, text: line.text });
  }
  return { lines } satisfies LogText;
}

type LogQuestion = Extract<AgentQuestion, { kind: 'log' }>;

/** Of a pod it must be said which container is meant, unless it has one only. Throws an error that says what there is. */
function loggedContainer(agent: Agent, { instanceId, container }: LogQuestion): string {
  const records = [...agent.instances.all.values()];
  const record = records.find(({ assignment }) => assignment.placement.instanceId === instanceId);
  if (record === undefined) throw new Error(`there is no instance ${instanceId} here`);
  const all = containersOf(record.assignment);
  const found = container === undefined ? all : all.filter(({ name }) => name === container);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.id;
  const names = all.flatMap(({ name }) => name ?? []).join(', ') || 'no names';
  throw new Error(`it is not clear which container of ${instanceId} is meant; they are: ${names}`);
}
