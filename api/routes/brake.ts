import type { FastifyInstance } from 'fastify';
import { timestamp } from '../../core/kit/clock.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { Problem } from '../problem.ts';

/** The brake on ending instances for their health, and the operator's word on it. Both may be repeated. */
export function brakeRoutes(server: FastifyInstance, { database, scheduler, clock }: ApiDependencies): void {
  const answer = () => {
    const setting = database.snapshot.table('settings').get('health-brake');
    const { brakes, held } = scheduler.healthBrake;
    return {
      mode: setting?.mode ?? 'on',
      ...(setting === undefined ? {} : { since: timestamp(setting.since) }),
      brakes,
      held: [...held].flatMap(([appId, instances]) =>
        [...instances].map(([instanceId, reason]) => ({ appId, instanceId, reason })),
      ),
    };
  };

  server.get('/v1/brake', async () => answer());

  server.put<{ Body: { mode?: unknown } | null }>('/v1/brake', async (request) => {
    const mode = request.body?.mode;
    if (mode !== 'on' && mode !== 'off')
      throw new Problem(422, {
        message: 'Object is not valid',
        details: [{ path: '/mode', errors: ["must be 'on' or 'off'"] }],
      });
    const value = { name: 'health-brake', mode, since: clock.now() } as const;
    await database.commit([{ kind: 'put', table: 'settings', key: value.name, value }]);
    return answer();
  });
}
