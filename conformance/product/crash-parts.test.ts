import t from 'tap';
import { becomes, signalTo, startTimeOf } from '../lab/processes.ts';
import { openHost } from './host.ts';
import { commandLineOf, processesIn, processesOfTask, workerOf } from './machine.ts';
import { consistent, get, running, serving, vipOf } from './web-app.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const withinMs = 20_000;

t.test('kill -9 of a part is made good', { skip }, async (t) => {
  const host = await openHost(t, 'parts');
  const product = await serving(host);
  const { api } = product;
  const before = await running(product);

  await t.test('the resolver’s process', async (t) => {
    const vip = await vipOf(host);
    const old = await kill(workerOf(product, '/dns/'));
    t.ok(await becomes(async () => workerOf(product, '/dns/') !== old, withinMs), 'another one runs');
    t.ok(await becomes(async () => (await vipOf(host)) === vip, withinMs), 'and gives the same answer');
  });

  await t.test('the edge’s process', async (t) => {
    const old = await kill(workerOf(product, '/edge/'));
    t.match(await get(host, 'http://127.0.0.1:8000/', 'web.example'), / hi$/, 'no client is turned away');
    t.not(workerOf(product, '/edge/'), old, 'another one runs');
  });
  t.same(await running(product), before, 'no app has noticed');

  await t.test('an app’s process', async (t) => {
    const [doomed = ''] = before.keys();
    await kill(processesOfTask(doomed)[0]);
    const replaced = await becomes(
      async () => (await api.app('/web')).tasksHealthy === 2 && !(await running(product)).has(doomed),
      withinMs,
    );
    t.ok(replaced, 'another instance takes its place');
    t.match((await api.app('/web')).lastTaskFailure, { taskId: doomed, message: /SIGKILL|killed|137/ });
    await consistent(t, host, product);
  });

  await t.test('a container’s monitor', async (t) => {
    const [task = ''] = (await running(product)).keys();
    const instance = task.replace(/\._app\.\d+$/, '');
    const monitor = processesIn([host.netns]).find((pid) => {
      const line = commandLineOf(pid);
      return line.includes('conmon') && line.includes(instance);
    });
    await kill(monitor);
    t.ok(await becomes(async () => (await api.app('/web')).tasksHealthy === 2, withinMs));
    await api.must('POST', '/v2/apps/web/restart');
    await api.settled('/web');
    t.notOk((await running(product)).has(task), 'what it watched can still be stopped');
    t.same(processesOfTask(task), []);
    await consistent(t, host, product);
  });
});

async function kill(pid: number | undefined): Promise<number> {
  if (pid === undefined) throw new Error('there is no such process');
  signalTo(pid, 'SIGKILL');
  await becomes(async () => (await startTimeOf(pid)) === undefined, withinMs);
  return pid;
}
