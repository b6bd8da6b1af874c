import type { FastifyInstance } from 'fastify';
import type { Deployment } from '../../core/model/deployment.ts';
import type { AppChanges } from '../change-apps.ts';
import type { ApiDependencies, Root, WantedRoot } from '../dependencies.ts';
import { renderDeployment } from '../marathon/render-deployment.ts';
import { NotFound } from '../problem.ts';
import { isTrue } from './query.ts';

/** Marathon §7. */
export function deploymentRoutes(
  server: FastifyInstance,
  { database, scheduler }: ApiDependencies,
  changes: AppChanges,
): void {
  server.get('/v2/deployments', async () =>
    [...database.snapshot.table('deployments').values()].map(renderDeployment),
  );

  server.delete<{ Params: { id: string }; Querystring: { force?: string } }>(
    '/v2/deployments/:id',
    async (request, reply) => {
      const { id } = request.params;
      const deployment = database.snapshot.table('deployments').get(id);
      if (deployment === undefined) throw new NotFound(`DeploymentPlan ${id} does not exist`);
      if (isTrue(request.query.force)) {
        await scheduler.abandon(id);
        return reply.code(202).send();
      }
      const { version, deploymentId } = await changes.apply((root) => reverted(deployment, root), true);
      return reply.header('marathon-deployment-id', deploymentId).send({ version, deploymentId });
    },
  );
}

/** Undoes one deployment's changes on the present root, so that other changes survive (§7.2). */
function reverted(deployment: Deployment, root: Root): WantedRoot {
  const after = new Map(root);
  for (const [id, original] of Object.entries(deployment.originals)) {
    if (original === null) after.delete(id);
    else after.set(id, original);
  }
  return { after };
}
