import t from 'tap';
import type { Task } from '../product/api.ts';
import { startCluster } from '../product/cluster.ts';
import { sleeper } from './sleeper.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
// On a busy machine.
t.setTimeout(300_000);
/** After this the master takes a silent agent for lost; from then on the app's patience counts. It was last heard up to a second before. */
const lostAfterMs = 2_000;
const unheardMs = 1_500;

t.test('machines that are lost and come back', { skip }, async (t) => {
  const { api, lab } = await startCluster(t, 'loss', {
    agents: [[], [], []],
    masterFlags: ['--agent-lost', String(lostAfterMs / 1_000)],
  });

  await t.test(
    'checklist 17: a lost machine’s instances are replaced, then forgotten; back in between, the surplus goes',
    async (t) => {
      const unreachableStrategy = { inactiveAfterSeconds: 5, expungeAfterSeconds: 10 };
      await api.deploy(
        sleeper('/lost', { instances: 3, unreachableStrategy, constraints: [['hostname', 'MAX_PER', '2']] }),
      );
      const on = async (host: string) => (await api.tasks('/lost')).filter((task) => task.host === host);
      const running = (tasks: readonly Task[]) =>
        tasks.filter(({ state }) => state === 'TASK_RUNNING').length;

      t.ok((await on('h3')).length > 0);
      await lab.cut('h3');
      const cutAt = performance.now();
      await api.until('/lost', async () =>
        (await on('h3')).every(({ state }) => state === 'TASK_UNREACHABLE'),
      );
      t.equal((await api.tasks('/lost')).length, 3, 'nothing is replaced at first');
      await api.until('/lost', async () => running(await api.tasks('/lost')) === 3);
      const replaced = performance.now() - cutAt;
      t.ok(
        replaced >= lostAfterMs + 5_000 - unheardMs && replaced < lostAfterMs + 10_000,
        `replaced after ${Math.round(replaced)} ms`,
      );
      t.ok((await on('h3')).length > 0, 'and not forgotten');
      await lab.heal('h3');
      await api.until(
        '/lost',
        async ({ tasksRunning }) => tasksRunning === 3 && (await api.tasks('/lost')).length === 3,
      );
      t.pass('back at 7 s: three again');

      const doomed = (await on('h2')).map(({ id }) => id);
      t.ok(doomed.length > 0);
      await lab.cut('h2');
      const gone = performance.now();
      await api.until('/lost', async () => !(await api.tasks('/lost')).some(({ id }) => doomed.includes(id)));
      const forgotten = performance.now() - gone;
      t.ok(
        forgotten >= lostAfterMs + 10_000 - unheardMs && forgotten < lostAfterMs + 25_000,
        `forgotten after ${Math.round(forgotten)} ms`,
      );
      t.equal(running(await api.tasks('/lost')), 3);
      await lab.heal('h2');
      await api.until('/lost', async () => (await api.tasks('/lost')).length === 3);
    },
  );
});
