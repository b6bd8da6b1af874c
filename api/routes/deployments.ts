import type { FastifyInstance } from 'fastify';
import { timestamp } from '../../core/kit/clock.ts';
import type { Groups } from '../../core/model/dependencies.ts';
import type { Deployment } from '../../core/model/deployment.ts';
import { ancestorsOf, type GroupSettings, parentOf } from '../../core/model/group.ts';
import type { AppChanges } from '../change-apps.ts';
import type { ApiDependencies, WantedRoot } from '../dependencies.ts';
import type { Tree } from '../groups.ts';
import { renderDeployment } from '../marathon/render-deployment.ts';
import { NotFound } from '../problem.ts';
import { readinessResults } from '../views.ts';
import { renderWait } from '../wait.ts';
import { isTrue } from './query.ts';

/** Marathon §7. */
export function deploymentRoutes(
  server: FastifyInstance,
  { database, scheduler }: ApiDependencies,
  changes: AppChanges,
): void {
  const running = () => [...database.snapshot.table('deployments').values()];
  const shown = (deployment: Deployment) =>
    renderDeployment(deployment, (app) => readinessResults(database.snapshot, app));

  server.get('/v2/deployments', async () => running().map(shown));

  // Strict clients know no other keys in Marathon's list.
  server.get('/v1/deployments', async () =>
    running().map((deployment) => ({
      ...shown(deployment),
      startedAt: timestamp(deployment.startedAt),
      waits: (deployment.steps[deployment.step]?.actions ?? []).flatMap(({ app }) =>
        scheduler.waitsOf(app).map((wait) => ({ app, ...renderWait(wait) })),
      ),
    })),
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
      const { version, deploymentId } = await changes.apply(
        (root) => reverted(deployment, { apps: root, groups: database.snapshot.table('groups') }),
        { force: true },
      );
      return reply.header('marathon-deployment-id', deploymentId).send({ version, deploymentId });
    },
  );
}

/** Undoes one deployment's changes on the present root, so that other changes survive (§7.2). */
function reverted(deployment: Deployment, now: Tree): WantedRoot {
  const after = new Map(now.apps);
  for (const [id, original] of Object.entries(deployment.originals)) {
    if (original === null) after.delete(id);
    else after.set(id, original);
  }
  return { after, groups: groupsReverted(deployment, { ...now, apps: after }) };
}

/** Groups that were added go if nothing is in them by then; the others depend on what they did. */
function groupsReverted({ groups: changed = {} }: Deployment, { apps, groups }: Tree): Groups {
  const after = new Map<string, GroupSettings>(groups);
  const occupied = new Set([...apps.keys()].flatMap(ancestorsOf));
  for (const [id, original] of Object.entries(changed).toSorted(deepestFirst)) {
    const { dependencies: _, ...present } = after.get(id) ?? {};
    const isEmpty =
      !occupied.has(id) && ![...after.keys()].some((other) => parentOf(other) === id && other !== id);
    if (original === null && isEmpty) after.delete(id);
    if (original !== null) after.set(id, { ...present, dependencies: original.dependencies ?? [] });
  }
  return after;
}

function deepestFirst([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return b.split('/').length - a.split('/').length;
}
