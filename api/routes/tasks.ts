import type { FastifyInstance } from 'fastify';
import { instanceOfOldTask, instanceOfTask } from '../../core/model/ids.ts';
import { portsOf } from '../../core/model/ports.ts';
import { type AppChanges, minus, required } from '../change-apps.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { appsIn } from '../kinds.ts';
import { parseJson } from '../marathon/parse-json.ts';
import { renderTask, type TaskFacts } from '../marathon/render-task.ts';
import { readTaskIds } from '../marathon/task-ids.ts';
import { Problem } from '../problem.ts';
import { taskTable } from '../task-table.ts';
import { tasksOf } from '../views.ts';
import { isTrue } from './query.ts';

type Query = Readonly<Record<string, string | string[] | undefined>>;

/** Marathon §4: tasks of all apps. */
export function taskRoutes(
  server: FastifyInstance,
  { database, scheduler }: ApiDependencies,
  changes: AppChanges,
): void {
  server.get<{ Querystring: Query }>('/v2/tasks', async (request, reply) => {
    const { snapshot } = database;
    const apps = appsIn(snapshot.table('apps')).map((app) => app.id);
    if (request.headers.accept?.includes('text/plain'))
      return reply.type('text/plain').send(taskTable(snapshot, apps));
    const wanted = statuses(request.query);
    const tasks = apps
      .flatMap((app) => tasksOf(snapshot, app))
      .filter((task) => wanted.length === 0 || wanted.includes(task.instance.state.kind));
    return { tasks: tasks.map((task) => ({ ...renderTask(task), servicePorts: servicePortsOf(task) })) };
  });

  server.post<{ Querystring: Query; Body: unknown }>('/v2/tasks/delete', async (request) => {
    const scale = isTrue(request.query['scale']);
    if (scale && isTrue(request.query['wipe'])) {
      throw new Problem(400, { message: 'You cannot use scale and wipe at the same time.' });
    }
    const instances = new Set(required(parseJson(request.body, readTaskIds)).ids.map(parseTaskId));
    const { snapshot } = database;
    const found = appsIn(snapshot.table('apps'))
      .flatMap((app) => tasksOf(snapshot, app.id))
      .filter((task) => instances.has(task.placement.instanceId));
    if (scale) {
      const placements = found.map((task) => task.placement);
      const force = isTrue(request.query['force']);
      const { version, deploymentId } = await changes.apply((root) => minus(root, placements), { force });
      return { version, deploymentId };
    }
    await scheduler.kill(
      found.map((task) => task.placement.instanceId),
      'killed through the API',
    );
    return { tasks: found.map(renderTask) };
  });

  function servicePortsOf({ placement }: TaskFacts): readonly number[] {
    const app = database.snapshot.table('apps').get(placement.appId);
    return app === undefined ? [] : portsOf(app).map((port) => port.servicePort);
  }
}

/** Unknown values do not filter (§4.2). */
function statuses(query: Query): readonly string[] {
  const given = [query['status'], query['status[]']].flat();
  return given.filter((status) => status === 'running' || status === 'staging').map(String);
}

function parseTaskId(id: string): string {
  const instance = instanceOfTask(id) ?? instanceOfOldTask(id);
  if (instance === undefined)
    throw new Problem(400, {
      message: `Invalid task id '${id}'. [it is neither a task id nor an instance id]`,
    });
  return instance;
}
