import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { timestamp } from '../../core/kit/clock.ts';
import type { Instance } from '../../core/model/instance.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type ApiEvent, apiEvents, instanceEvents } from '../marathon/events.ts';
import { Problem } from '../problem.ts';

const keepAliveMs = 10_000;
/** A client this far behind is cut off and re-reads state when it comes back (Marathon §9.1). */
const mostUnread = 1_024;

/** Marathon §9: what happens, as server-sent events. */
export function eventRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { clock } = dependencies;
  const clients = new Set<(event: ApiEvent) => void>();
  const emit = (event: ApiEvent) => {
    for (const client of [...clients]) client(event);
  };
  const unfollow = follow(dependencies, emit);
  server.addHook('onClose', async () => unfollow());

  server.get<{ Querystring: { event_type?: string | string[] } }>('/v2/events', async (request, reply) => {
    if (!(request.headers.accept ?? '').includes('text/event-stream')) {
      throw new Problem(405, { message: 'Method Not Allowed' });
    }
    const types = [request.query.event_type ?? []].flat();
    const response = reply.raw;
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) response.setHeader(name, value);
    response.writeHead(200, { 'content-type': 'text/event-stream;charset=utf-8', connection: 'close' });
    // A filter may keep every event back: the client is to know all the same that it is attached.
    response.flushHeaders();
    const client = eventClient(response, types);
    clients.add(client);
    emit({
      eventType: 'event_stream_attached',
      remoteAddress: request.ip,
      timestamp: timestamp(clock.now()),
    });
    const closed = new AbortController();
    response.on('close', () => closed.abort());
    while (!closed.signal.aborted) {
      await clock.sleep(keepAliveMs, closed.signal).catch(() => {});
      if (!closed.signal.aborted) response.write('\r\n');
    }
    clients.delete(client);
    emit({
      eventType: 'event_stream_detached',
      remoteAddress: request.ip,
      timestamp: timestamp(clock.now()),
    });
  });
}

function eventClient(response: ServerResponse, types: readonly string[]): (event: ApiEvent) => void {
  let unread = 0;
  return (event) => {
    if (types.length > 0 && !types.includes(event.eventType)) return;
    unread += 1;
    if (unread > mostUnread) {
      response.destroy();
      return;
    }
    response.write(`event: ${event.eventType}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`, () => {
      unread -= 1;
    });
  };
}

/** Turns what the master does, and what happens to instances, into events. */
function follow({ database, events, clock }: ApiDependencies, emit: (event: ApiEvent) => void): () => void {
  const known = new Map<string, Instance>(database.snapshot.table('instances'));
  const ends = [
    events.subscribe((event) => apiEvents(event, clock.now()).forEach(emit)),
    database.onChange((change) => {
      for (const { table, key, value } of change.records) {
        if (table !== 'instances') continue;
        const before = known.get(key);
        if (value === undefined) known.delete(key);
        else {
          const after = value as Instance;
          known.set(key, after);
          const { snapshot } = database;
          const placement = snapshot.table('placements').get(key);
          const agent = snapshot.table('agents').get(after.agentId);
          instanceEvents({ before, after, placement, agent }, clock.now()).forEach(emit);
        }
      }
    }),
  ];
  return () => {
    for (const end of ends) end();
  };
}
