import type { FastifyReply } from 'fastify';
import type { AppId, InstanceId } from '../../core/model/ids.ts';
import { appOfInstance, instanceOfTask, taskId } from '../../core/model/ids.ts';
import { type AppChanges, minus } from '../change-apps.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { appAt, appsIn } from '../kinds.ts';
import { renderTask, type TaskFacts } from '../marathon/render-task.ts';
import { NotFound, Problem } from '../problem.ts';
import { taskTable } from '../task-table.ts';
import { tasksOf } from '../views.ts';
import { isTrue } from './query.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;
type Request = { query: Query; headers: { accept?: string | undefined } };

/** Tasks of one app (Marathon §3.9), as the app routes hand them over. */
export function appTaskRoutes(dependencies: ApiDependencies, changes: AppChanges) {
  const { database, scheduler } = dependencies;

  /** One app, or every app below a group. */
  function named(id: AppId): readonly AppId[] {
    const apps = database.snapshot.table('apps');
    if (id.endsWith('/*'))
      return appsIn(apps)
        .map((app) => app.id)
        .filter((app) => app.startsWith(id.slice(0, -1)));
    if (appAt(apps, id) === undefined) throw new NotFound(`App '${id}' does not exist`);
    return [id];
  }

  function known(id: AppId): readonly TaskFacts[] {
    return named(id).flatMap((app) => tasksOf(database.snapshot, app));
  }

  async function kill(tasks: readonly TaskFacts[], query: Query) {
    const scale = isTrue(query['scale']);
    if (isTrue(query['wipe']) && scale)
      throw new Problem(400, { message: 'You cannot use scale and wipe at the same time.' });
    const instances = tasks.map((task) => task.placement.instanceId);
    if (!scale) {
      await scheduler.kill(instances, 'killed through the API');
      return undefined;
    }
    const placements = tasks.map((task) => task.placement);
    const force = isTrue(query['force']);
    const { version, deploymentId } = await changes.apply((root) => minus(root, placements), { force });
    return { version, deploymentId };
  }

  return {
    list(id: AppId, request: Request, reply: FastifyReply) {
      if (request.headers.accept?.includes('text/plain')) {
        return reply.type('text/plain').send(taskTable(database.snapshot, named(id)));
      }
      return { tasks: known(id).map(renderTask) };
    },

    async killAll(id: AppId, request: Request) {
      const host = request.query['host'];
      const tasks = known(id).filter(
        (task) => host === undefined || host === '*' || task.agent?.hostname === host,
      );
      return (await kill(tasks, request.query)) ?? { tasks: tasks.map(renderTask) };
    },

    async killOne(id: AppId, task: string, request: Request) {
      const wanted = instanceOfTask(task);
      const found = known(appMeant(id, task)).find(({ placement }) => matches(placement, task, wanted));
      if (found === undefined) throw new NotFound(`Task '${task}' does not exist`);
      return (await kill([found], request.query)) ?? { task: renderTask(found) };
    },
  };
}

/**
 * Clients of a Marathon whose task ids ended in a dot and an identifier take what is before the last dot for the app: with a
 * task id of today's that gives an app that cannot be.
 */
function appMeant(id: AppId, task: string): AppId {
  const guessed = `/${task.slice(0, task.lastIndexOf('.')).replaceAll('_', '/')}`;
  return (id === guessed ? appOfInstance(instanceOfTask(task) ?? '') : undefined) ?? id;
}

function matches(
  placement: { instanceId: InstanceId; attempt: number },
  given: string,
  instance: InstanceId | undefined,
): boolean {
  return (
    placement.instanceId === instance && (given === instance || given === taskId(instance, placement.attempt))
  );
}
