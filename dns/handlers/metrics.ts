import type { Counters } from '../counters.ts';
import { type Handler, then } from '../handler.ts';
import { RCODE } from '../wire/types.ts';

const codeNames = new Map<number, string>(Object.entries(RCODE).map(([name, code]) => [code, name]));

/** Counts what the handlers behind it say. */
export function metricsHandler(counters: Counters): Handler {
  return {
    name: 'metrics',
    answer: (question, next) =>
      then(next(question), (reply) => {
        const rcode = codeNames.get(reply.rcode) ?? 'other';
        counters.reply({ transport: question.client.transport, rcode });
        return reply;
      }),
  };
}
