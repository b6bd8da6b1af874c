import { join } from 'node:path';
import type { Agent } from '../agent/agent.ts';
import type { ContainerRuntime } from '../agent/runtime.ts';
import type { AgentQuestion, LogText } from '../core/model/master-port.ts';
import type { DnsConsumer } from '../dns/consumer.ts';
import type { VipConsumer } from '../lb/vip/vip-consumer.ts';

export type AnswerParts = {
  agent: Agent;
  runtime: ContainerRuntime;
  dns: DnsConsumer;
  vip: VipConsumer;
  containers: string;
};

/** What only this agent knows, for whoever asked the master. */
export async function answer(
  question: AgentQuestion,
  { agent, runtime, dns, vip, containers }: AnswerParts,
): Promise<unknown> {
  if (question.kind === 'explain-name') return dns.explain({ name: question.name, type: question.type });
  if (question.kind === 'vips') return vip.nodeStatus(new Set(question.addresses));
  const key = [...agent.instances.all].find(
    ([, { assignment }]) => assignment.placement.instanceId === question.instanceId,
  )?.[0];
  if (key === undefined) throw new Error(`there is no instance ${question.instanceId} here`);
  const { stream, tail } = question;
  const lines: { stream: 'stdout' | 'stderr'; text: string }[] = [];
  for await (const line of runtime.log(join(containers, key, 'log'), {
    tail,
    ...(stream === 'both' ? {} : { stream }),
  })) {
    lines.push({ stream: line.stream, text: line.text });
  }
  return { lines } satisfies LogText;
}
