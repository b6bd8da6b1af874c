import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { script } from './definitions.ts';
import { openHost } from './host.ts';
import { startLoad } from './load.ts';
import { processesOfTask } from './machine.ts';
import { type Product, startProduct } from './product.ts';
import { consistent, get, running, serving, vipOf } from './web-app.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const withinMs = 20_000;

t.test('kill -9 of the whole loses nothing that was accepted and nothing that runs', { skip }, async (t) => {
  const host = await openHost(t, 'killed');
  let product = await serving(host);
  const before = await running(product);
  const vip = await vipOf(host);

  for (const round of [1, 2, 3]) {
    const late = `/late${round}`;
    await product.api.must('POST', '/v2/apps', script(late, []));
    // Killed at another moment of the launch each time, as soon as the acceptance is read.
    if (round > 1) await becomes(async () => (await product.api.tasks(late)).length > 0, withinMs);
    await product.end('SIGKILL');
    t.match(await get(host, vip), / hi$/, 'the virtual address answers while nothing of Weir runs');
    product = await startProduct(host);
    await product.api.settled(late);
    await product.api.until('/web', ({ tasksHealthy }) => tasksHealthy === 2);
    t.same(await running(product), before, 'the same tasks in the same processes');
    t.equal((await product.api.tasks(late)).length, 1, 'an accepted app runs once');
    await consistent(t, host, product);
    t.match(await get(host, 'http://127.0.0.1:8000/', 'web.example'), / hi$/);
  }
});

t.test(
  'kill -9 in the middle of a rolling restart, again and again, ends in the restart done',
  { skip },
  async (t) => {
    const host = await openHost(t, 'rolling');
    let product = await serving(host);
    const before = await running(product);
    const load = startLoad(host, { name: 'VIP', url: await vipOf(host) }, { perSecond: 20 });
    await product.api.must('POST', '/v2/apps/web/restart');

    for (let kills = 0; kills < 5; kills++) {
      const seen = await states(product);
      await becomes(async () => (await states(product)) !== seen, withinMs);
      await product.end('SIGKILL');
      product = await startProduct(host);
    }
    await product.api.settled('/web');
    await product.api.until('/web', ({ tasksHealthy }) => tasksHealthy === 2);

    const after = await running(product);
    t.equal(after.size, 2);
    t.same(
      [...after.keys()].filter((task) => before.has(task)),
      [],
      'every instance is a new one',
    );
    t.same([...before.keys()].flatMap(processesOfTask), [], 'and none of the old ones is left');
    await consistent(t, host, product);
    const { failures, sent } = await load.stop();
    t.same(failures, [], `no request of ${sent} to the virtual address failed`);
  },
);

/** How far the tasks of /web are, as text. */
async function states({ api }: Product): Promise<string> {
  const tasks = await api.tasks('/web');
  const { deployments } = await api.app('/web');
  const texts = tasks.map((task) => `${task.id} ${task.state} ${task.healthCheckResults?.length}`);
  return [deployments.length, ...texts].join(', ');
}
