import type { Counters } from '../counters.ts';
import { type Handler, then } from '../handler.ts';

/** Counts what the handlers behind it say. */
export function metricsHandler(counters: Counters): Handler {
  return {
    name: 'metrics',
    answer: (question, next) =>
      then(next(question), (reply) => {
        counters.reply(question.client.transport, reply.rcode);
        return reply;
      }),
  };
}
