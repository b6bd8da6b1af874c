import type { FastifyInstance } from 'fastify';
import type { ApiDependencies } from '../dependencies.ts';
import { notActedOn } from '../marathon/not-acted-on.ts';
import { NotFound } from '../problem.ts';
import { renderWait } from '../wait.ts';

/** What an app waits for, instance by instance, in the scheduler's words, and what of it is not acted on (`weir why`). */
export function whyRoutes(server: FastifyInstance, { database, scheduler }: ApiDependencies): void {
  server.get<{ Params: { '*': string } }>('/v1/why/*', async (request) => {
    const app = `/${request.params['*']}`;
    const stored = database.snapshot.table('apps').get(app);
    if (stored === undefined) throw new NotFound(`App '${app}' does not exist`);
    const waits = scheduler.waitsOf(app).map(renderWait);
    return { app, waits, notActedOn: notActedOn(stored) };
  });
}
