import t from 'tap';
import { openHost } from '../product/host.ts';
import { startProduct } from '../product/product.ts';
import { sleeper } from './sleeper.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

type Queue = {
  readonly queue: readonly {
    readonly app: { readonly id: string };
    readonly delay: { readonly timeLeftSeconds: number; readonly overdue: boolean };
  }[];
};

t.test('back-off and kills', { skip }, async (t) => {
  const host = await openHost(t, 'cltasks');
  const { api } = await startProduct(host);

  await t.test('checklist 13: the delay after failures grows, and can be reset', async (t) => {
    await api.must('POST', '/v2/apps', sleeper('/grows', { cmd: 'exit 4', backoffFactor: 2 }));
    const seen: number[] = [];
    await api.eventually('/v2/queue', (queue: Queue) => {
      const left = delayOf(queue, '/grows')?.timeLeftSeconds ?? 0;
      if (left > 0 && left !== seen.at(-1)) seen.push(left);
      return left >= 4;
    });
    t.ok(seen[0] === 1 && seen.includes(2), `first 1 s, then 2 s, then 4 s: ${seen.join(', ')}`);

    await api.must('POST', '/v2/apps', sleeper('/waits', { cmd: 'exit 4', backoffSeconds: 300 }));
    const first = await api.until('/waits', ({ lastTaskFailure }) => lastTaskFailure !== undefined);
    const queue = await api.eventually(
      '/v2/queue',
      (queue: Queue) => delayOf(queue, '/waits')?.overdue === false,
    );
    t.ok((delayOf(queue, '/waits')?.timeLeftSeconds ?? 0) > 290);
    t.match(await api.call('DELETE', '/v2/queue//waits/delay'), { status: 204, text: '' });
    const second = await api.until(
      '/waits',
      ({ lastTaskFailure }) => lastTaskFailure?.timestamp !== first.lastTaskFailure?.timestamp,
    );
    t.match(second.lastTaskFailure, { state: 'TASK_FAILED' }, 'it was tried again at once');
    t.match(await api.call('DELETE', '/v2/queue/nothing/delay'), {
      status: 404,
      body: { message: 'Application /nothing not found in tasks queue.' },
    });
    for (const id of ['/grows', '/waits']) await api.remove(id);
  });

  await t.test('checklist 14: instances are killed and replaced, or killed and fewer', async (t) => {
    await api.deploy(sleeper('/many', { instances: 4 }));
    const ids = async () => (await api.tasks('/many')).map(({ id }) => id);
    const [first = '', second = '', third = ''] = await ids();

    t.match(await api.call('DELETE', `/v2/apps/many/tasks/${first}`), {
      status: 200,
      body: { task: { id: first, appId: '/many' } },
    });
    await api.until(
      '/many',
      async ({ tasksRunning }) => tasksRunning === 4 && !(await ids()).includes(first),
    );

    t.match(await api.call('DELETE', `/v2/apps/many/tasks/${second}?scale=true`), {
      status: 200,
      body: { version: String, deploymentId: String },
    });
    t.match(await api.settled('/many'), { instances: 3 });
    t.notOk((await ids()).includes(second));

    const unknown = 'many.instance-00000000-0000-4000-8000-000000000000._app.1';
    t.match(await api.call('POST', '/v2/tasks/delete?scale=true', { ids: [third, unknown] }), {
      status: 200,
      body: { deploymentId: String },
    });
    t.match(await api.settled('/many'), { instances: 2 });
    const killed = await api.must<{ tasks: { id: string }[] }>('POST', '/v2/tasks/delete', {
      ids: [unknown],
    });
    t.same(killed, { tasks: [] }, 'one that is not there is ignored');
    t.match(await api.call('POST', '/v2/tasks/delete', { ids: ['x'] }), {
      status: 400,
      body: { message: /^Invalid task id 'x'\. \[/ },
    });

    for (const path of ['/v2/apps/many/tasks', `/v2/apps/many/tasks/${(await ids())[0]}`])
      t.match(await api.call('DELETE', `${path}?scale=true&wipe=true`), {
        status: 400,
        body: { message: 'You cannot use scale and wipe at the same time.' },
      });
    t.match(await api.call('DELETE', '/v2/apps/many/tasks/nothing'), {
      status: 404,
      body: { message: "Task 'nothing' does not exist" },
    });
    t.match(await api.call('DELETE', '/v2/apps/many/tasks?host=elsewhere'), {
      status: 200,
      body: { tasks: [] },
    });
    const all = await api.must<{ tasks: { id: string }[] }>('DELETE', '/v2/apps/many/tasks?host=*');
    t.equal(all.tasks.length, 2);
    await api.must('DELETE', '/v2/apps/many/tasks?scale=true&force=true');
    t.match(await api.settled('/many'), { instances: 0, tasksRunning: 0 });
  });
});

function delayOf({ queue }: Queue, id: string) {
  return queue.find(({ app }) => app.id === id)?.delay;
}
