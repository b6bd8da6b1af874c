import t from 'tap';
import { startMaster } from './testing/master.ts';

type Task = { id: string; host: string; ports: number[]; state: string };
type Tasks = { tasks: Task[] };

const sleeper = { id: '/shop/web', cmd: 'sleep 100', cpus: 0.1, mem: 16, instances: 3 };
const both = '?scale=true&wipe=true';

t.test('tasks', async (t) => {
  const { api, agent } = await startMaster(t);
  const h1 = await agent('h1');
  await api.must('POST', '/v2/apps', sleeper);
  await api.must('POST', '/v2/apps', { ...sleeper, id: '/plain', instances: 1, portDefinitions: [] });
  await api.settled();
  const tasks = async (path = '/v2/apps/shop/web/tasks') => (await api.must<Tasks>('GET', path)).tasks;
  const text = async (path: string) =>
    (await api.call('GET', path, { headers: { accept: 'text/plain' } })).text;

  await t.test('have the keys that clients know, and no others', async (t) => {
    const keys = ['id', 'appId', 'host', 'slaveId', 'state', 'ports', 'servicePorts', 'ipAddresses'];
    const known = [...keys, 'stagedAt', 'startedAt', 'version', 'healthCheckResults', 'localVolumes', 'role'];
    for (const task of await tasks()) {
      t.same(
        Object.keys(task).filter((key) => !known.includes(key)),
        [],
      );
      t.match(task, { appId: '/shop/web', host: 'h1', slaveId: 'h1', state: 'TASK_RUNNING' });
      t.match(task.id, /^shop_web\.instance-[0-9a-f-]+\._app\.1$/);
      t.equal(task.ports.length, 1);
    }
  });

  await t.test('are listed by app, by group, in all and by state', async (t) => {
    t.equal((await tasks()).length, 3);
    t.equal((await tasks('/v2/apps/shop/*/tasks')).length, 3);
    t.equal((await tasks('/v2/apps/*/tasks')).length, 4);
    t.equal((await tasks('/v2/tasks')).length, 4);
    t.equal((await tasks('/v2/tasks?status=running')).length, 4);
    t.equal((await tasks('/v2/tasks?status=staging')).length, 0);
    t.equal((await tasks('/v2/tasks?status[]=staging&status[]=running')).length, 4);
    t.equal((await tasks('/v2/tasks?status=nonsense')).length, 4, 'an unknown state filters nothing');
    t.match(await tasks('/v2/tasks'), [{ servicePorts: [10_000] }]);
  });

  await t.test('come as text: a line for each app and service port', async (t) => {
    const ports = (await tasks()).map((task) => `h1:${task.ports[0]}`).sort();
    const web = `shop_web\t10000\t${ports.join('\t')}\t\n`;
    t.equal(await text('/v2/apps/shop/web/tasks'), web);
    t.equal(await text('/v2/apps/shop/*/tasks'), web);
    t.equal(await text('/v2/tasks'), `${web}plain\t \th1\t\n`);
  });

  await t.test('cannot be scaled away and wiped at once', async (t) => {
    const before = await api.state();
    const body = { ids: [(await tasks())[0]?.id] };
    for (const answer of [
      await api.call('DELETE', `/v2/apps/shop/web/tasks${both}`),
      await api.call('POST', `/v2/tasks/delete${both}`, { body }),
    ]) {
      t.equal(answer.status, 400);
      t.same(answer.body, { message: 'You cannot use scale and wipe at the same time.' });
    }
    t.equal(await api.state(), before);
  });

  await t.test('that are killed are replaced', async (t) => {
    const [first] = await tasks();
    const events = await api.events('event_type=status_update_event');
    const killed = await api.must<{ task: Task }>('DELETE', `/v2/apps/shop/web/tasks/${first?.id}`);
    t.equal(killed.task.id, first?.id);
    let seen: object;
    do seen = await events.next();
    while (!isRunning(seen));
    events.close();
    t.match(seen, { appId: '/shop/web', taskStatus: 'TASK_RUNNING' });
    t.equal((await api.must<{ app: { instances: number } }>('GET', '/v2/apps/shop/web')).app.instances, 3);
  });

  await t.test('that are scaled away are not: the app has fewer instances', async (t) => {
    const [first] = await tasks('/v2/apps/shop/web/tasks');
    const body = { ids: [first?.id, 'gone_app.instance-1234._app.1'] };
    t.match(await api.must('POST', '/v2/tasks/delete?scale=true', body), { deploymentId: String });
    await api.settled();
    t.match(await api.must('GET', '/v2/apps/shop/web'), { app: { instances: 2, tasksRunning: 2 } });
    t.notOk((await tasks()).some((task) => task.id === first?.id));
    await api.must('DELETE', '/v2/apps/shop/web/tasks?scale=true&host=nowhere');
    await api.settled();
    t.match(await api.must('GET', '/v2/apps/shop/web'), { app: { instances: 2 } });
    await api.must('DELETE', '/v2/apps/shop/web/tasks?scale=true&host=h1');
    await api.settled();
    t.match(await api.must('GET', '/v2/apps/shop/web'), { app: { instances: 0, tasks: [] } });
  });

  await t.test('that are unknown, or no ids at all, are told apart', async (t) => {
    const unknown = await api.call('DELETE', '/v2/apps/plain/tasks/nope');
    t.equal(unknown.status, 404);
    t.same(unknown.body, { message: "Task 'nope' does not exist" });
    const no = await api.call('POST', '/v2/tasks/delete', { body: { ids: ['nope'] } });
    t.equal(no.status, 400);
    t.match(no.body, { message: /^Invalid task id 'nope'\. \[.+\]$/ });
    const ignored = await api.call('POST', '/v2/tasks/delete', { body: { ids: ['gone.instance-1'] } });
    t.equal(ignored.status, 200);
    t.same(ignored.body, { tasks: [] });
    t.equal((await api.call('POST', '/v2/tasks/delete', { body: { ids: 'x' } })).status, 422);
  });

  await t.test('that failed are told as the app’s last failure', async (t) => {
    const [task] = await tasks('/v2/apps/plain/tasks');
    const events = await api.events('event_type=status_update_event');
    await h1.crash(task?.id.replace(/\._app.*/, '') ?? '', 'exited with 3');
    t.match(await events.next(), { taskStatus: 'TASK_FAILED', message: 'exited with 3' });
    await events.next();
    events.close();
    t.match(await api.must('GET', '/v2/apps/plain'), {
      app: {
        lastTaskFailure: { taskId: task?.id, message: 'exited with 3', state: 'TASK_FAILED', host: 'h1' },
      },
    });
  });

  await t.test('are killed for clients too that take the app from the id of a task', async (t) => {
    await api.until<{ app: { tasksRunning: number } }>('/v2/apps/plain', ({ app }) => app.tasksRunning === 1);
    const [first] = await tasks('/v2/apps/plain/tasks');
    const id = first?.id ?? '';
    const taken = id.slice(0, id.lastIndexOf('.')).replaceAll('_', '/');
    t.match(await api.must('DELETE', `/v2/apps/${taken}/tasks/${id}`), { task: { id, appId: '/plain' } });
    const other = await api.call('DELETE', `/v2/apps/none/tasks/${id}`);
    t.equal(other.status, 404, 'but no app that is given otherwise is corrected');
  });
});

function isRunning(event: object): boolean {
  return 'taskStatus' in event && event.taskStatus === 'TASK_RUNNING';
}
