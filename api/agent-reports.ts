import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Directory } from '../core/model/directory.ts';
import type { Instance } from '../core/model/instance.ts';
import type { AgentReport } from '../core/model/master-port.ts';
import type { Write } from '../core/state/store.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Strangers } from './strangers.ts';

/** What an error comes to, for whoever asked. */
export type AnswerFor = (error: unknown) => { readonly status: number; readonly body: object };

/**
 * Takes the requests that are reports of agents, and says of others that they are not. They pass by the router and its
 * hooks: with thousands of agents they are most of what a master hears.
 */
export function reportDoor(
  dependencies: ApiDependencies,
  answerFor: AnswerFor,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const strangers = new Strangers((instance) =>
    dependencies.events.emit({ kind: 'stranger-ended', instance }),
  );
  const take = async (agent: string, request: IncomingMessage, response: ServerResponse) => {
    try {
      const report = JSON.parse(await bodyOf(request)) as AgentReport;
      await takeReport(dependencies, agent, report);
      strangers.note(report, dependencies.database.snapshot);
      response.writeHead(204).end();
    } catch (error) {
      const { status, body } = answerFor(error);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    }
  };
  return (request, response) => {
    const agent = request.method === 'POST' ? agentIn(request.url ?? '') : undefined;
    if (agent === undefined) return false;
    void take(agent, request, response);
    return true;
  };
}

/** With listeners: an iterator for each of thousands of small bodies a second costs more than all else about them. */
function bodyOf(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => resolve(body));
    request.on('error', reject);
    request.on('close', () =>
      reject(new Error('the agent closed the connection before the end of its report')),
    );
  });
}

const [head, tail] = ['/v1/agents/', '/report'];

function agentIn(url: string): string | undefined {
  if (!url.startsWith(head) || !url.endsWith(tail)) return undefined;
  return decodeURIComponent(url.slice(head.length, -tail.length));
}

async function takeReport(dependencies: ApiDependencies, agent: string, report: AgentReport): Promise<void> {
  const { database, presence, publisher, clock } = dependencies;
  const writes = report.instances.flatMap((instance) => instanceWrite(dependencies, instance));
  if (writes.length > 0) await database.commit(writes);
  presence.reported(
    agent,
    isOfOther(report, publisher.directory) ? { ...report, acks: {} } : report,
    clock.now(),
  );
}

/** What was in force of a store that is no more says nothing of this one's revisions. */
function isOfOther(report: AgentReport, { store }: Directory): boolean {
  return report.store !== undefined && report.store !== store;
}

/** A report of an instance that is no longer placed, or of an earlier attempt, has nothing to say any more. */
function instanceWrite({ database }: ApiDependencies, instance: Instance): readonly Write[] {
  const { snapshot } = database;
  const placement = snapshot.table('placements').get(instance.instanceId);
  if (placement?.attempt !== instance.attempt || placement.agentId !== instance.agentId) return [];
  const before = snapshot.table('instances').get(instance.instanceId);
  if (JSON.stringify(before) === JSON.stringify(instance)) return [];
  return [{ kind: 'put', table: 'instances', key: instance.instanceId, value: instance }];
}
