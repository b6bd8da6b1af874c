import type { FastifyInstance } from 'fastify';
import { timestamp } from '../../core/kit/clock.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { NotFound } from '../problem.ts';

/** What an app waits for, instance by instance, in the scheduler's words (`weir why`). Empty: nothing. */
export function whyRoutes(server: FastifyInstance, { database, scheduler }: ApiDependencies): void {
  server.get<{ Params: { '*': string } }>('/v1/why/*', async (request) => {
    const app = `/${request.params['*']}`;
    if (!database.snapshot.table('apps').has(app)) throw new NotFound(`App '${app}' does not exist`);
    const waits = scheduler.waitsOf(app).map(({ since, ...wait }) => ({
      ...wait,
      ...(since === undefined ? {} : { since: timestamp(since) }),
    }));
    return { app, waits };
  });
}
