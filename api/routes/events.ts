import type { FastifyInstance } from 'fastify';
import { timestamp } from '../../core/kit/clock.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { type Emission, EventClient, emission } from '../event-client.ts';
import { followEvents } from '../event-source.ts';
import { Problem } from '../problem.ts';

/** An idle stream says something this often, for clients and proxies that give up on silence (Marathon §9.1). */
const keepAliveMs = 10_000;

type Query = { event_type?: string | string[]; 'plan-format'?: string };

/** Marathon §9: what happens, as server-sent events. */
export function eventRoutes(server: FastifyInstance, dependencies: ApiDependencies): void {
  const { clock, log, metrics } = dependencies;
  const clients = new Set<EventClient>();
  const dropped = metrics.counter(
    'weir_event_clients_dropped_total',
    'Event clients cut off because they do not read.',
  );
  const emit = (event: Emission) => {
    for (const client of [...clients]) client.take(event);
  };
  const say = (eventType: string, remoteAddress: string) =>
    emit(emission({ eventType, remoteAddress, timestamp: timestamp(clock.now()) }));
  // Nobody listens in most clusters, most of the time: then no event is made.
  let unfollow: (() => void) | undefined;
  const join = (client: EventClient) => {
    clients.add(client);
    unfollow ??= followEvents(dependencies, emit);
  };
  const leave = (client: EventClient) => {
    clients.delete(client);
    if (clients.size === 0) endFollowing();
  };
  const endFollowing = () => {
    unfollow?.();
    unfollow = undefined;
  };
  server.addHook('onClose', async () => endFollowing());

  server.get<{ Querystring: Query }>('/v2/events', async (request, reply) => {
    if (!(request.headers.accept ?? '').includes('text/event-stream')) {
      throw new Problem(405, { message: 'Method Not Allowed' });
    }
    const response = reply.raw;
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) response.setHeader(name, value);
    response.writeHead(200, { 'content-type': 'text/event-stream;charset=utf-8', connection: 'close' });
    // A filter may keep every event back: the client is to know all the same that it is attached.
    response.flushHeaders();
    const client = new EventClient(response, {
      types: [request.query.event_type ?? []].flat(),
      isHeavy: request.query['plan-format'] === 'heavy',
      now: () => clock.now(),
      cutOff: (reason) => {
        dropped();
        log.warn('an event client is cut off', { client: request.ip, reason });
      },
    });
    join(client);
    say('event_stream_attached', request.ip);
    const closed = new AbortController();
    response.on('close', () => closed.abort());
    while (!closed.signal.aborted) {
      await clock.sleep(keepAliveMs, closed.signal).catch(() => {});
      if (!closed.signal.aborted) client.keepAlive();
    }
    leave(client);
    say('event_stream_detached', request.ip);
  });
}
