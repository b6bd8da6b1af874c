import type { FastifyInstance } from 'fastify';
import { timestamp } from '../../core/kit/clock.ts';
import type { App } from '../../core/model/app.ts';
import type { ApiDependencies, Waiting } from '../dependencies.ts';
import { renderApp } from '../marathon/render-app.ts';
import { NotFound } from '../problem.ts';

/** The order in which Marathon counts why an agent was not used (§8.1). */
const funnel = [
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'NoCorrespondingReservationFound',
  'AgentMaintenance',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientGpus',
  'InsufficientPorts',
  'DeclinedScarceResources',
];

/** Marathon §8: what waits to be launched, and why. */
export function queueRoutes(server: FastifyInstance, { database, scheduler, clock }: ApiDependencies): void {
  server.get<{ Querystring: { embed?: string | string[] } }>('/v2/queue', async (request) => ({
    queue: [...scheduler.waiting].flatMap(([id, waiting]) => {
      const app = database.snapshot.table('apps').get(id);
      return app === undefined
        ? []
        : [{ ...renderItem(app, waiting, clock.now()), ...refusalsOf(waiting, request.query.embed) }];
    }),
  }));

  server.delete<{ Params: { '*': string } }>('/v2/queue/*', async (request, reply) => {
    const path = request.params['*'];
    const id = `/${path.replace(/\/delay$/, '')}`;
    if (!path.endsWith('/delay') || !scheduler.waiting.has(id)) {
      throw new NotFound(`Application ${id} not found in tasks queue.`);
    }
    await database.commit([{ kind: 'delete', table: 'backoffs', key: id }]);
    return reply.code(204).send();
  });
}

function renderItem(app: App, waiting: Waiting, now: number) {
  const delayed = waiting.kind === 'backoff' ? Math.max(0, Math.ceil((waiting.until - now) / 1000)) : 0;
  const refusals = waiting.kind === 'no-agent' ? waiting.refusals : [];
  return {
    app: renderApp(app),
    count: waiting.count,
    delay: { timeLeftSeconds: delayed, overdue: delayed === 0 },
    since: timestamp(now),
    processedOffersSummary: {
      processedOffersCount: refusals.length,
      unusedOffersCount: refusals.length,
      rejectSummaryLastOffers: summary(refusals),
      rejectSummaryLaunchAttempt: summary(refusals),
    },
  };
}

/** Weir's own words: which agent refused for what. Only when asked for, because strict clients refuse unknown keys (§23). */
function refusalsOf(waiting: Waiting, embed: string | readonly string[] | undefined) {
  const asked = [embed ?? []].flat().includes('refusals');
  return asked && waiting.kind === 'no-agent' ? { refusals: waiting.refusals } : {};
}

function summary(refusals: readonly { readonly reason: string }[]) {
  let processed = refusals.length;
  return refusals.length === 0
    ? []
    : funnel.map((reason) => {
        const declined = refusals.filter((refusal) => refusal.reason === reason).length;
        const row = { reason, declined, processed };
        processed -= declined;
        return row;
      });
}
