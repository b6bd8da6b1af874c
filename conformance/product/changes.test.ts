import t from 'tap';
import { webServer } from './definitions.ts';
import { type Host, openHost } from './host.ts';
import { startLoad } from './load.ts';
import { processesOfTask } from './machine.ts';
import { type Product, startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
t.test('changes of an app lose no request', { skip }, async (t) => {
  const host = await openHost(t, 'changes');
  const product = await startProduct(host);
  const { api } = product;
  const loads = await underLoad(host, product, 0.1);

  await change('scaled up', 'PUT', '/v2/apps/web', { instances: 4 });
  t.equal((await api.tasks('/web')).length, 4);
  const old = (await api.tasks('/web')).map((task) => task.id);
  await change('updated', 'PUT', '/v2/apps/web', { env: { GREETING: 'two', DELAY: '0.1' } });
  t.same(
    (await api.tasks('/web')).filter((task) => old.includes(task.id)),
    [],
    'an update replaces every instance',
  );
  const updated = (await api.tasks('/web')).map((task) => task.id);
  await change('restarted', 'POST', '/v2/apps/web/restart');
  t.same(
    (await api.tasks('/web')).filter((task) => updated.includes(task.id)),
    [],
    'so does a restart',
  );
  await change('scaled down', 'PUT', '/v2/apps/web', { instances: 1 });
  t.equal((await api.tasks('/web')).length, 1);

  for (const { failures, sent, answers } of await Promise.all(loads.map((load) => load.stop()))) {
    t.same(failures, [], `no request of ${sent} failed`);
    t.ok(sent > 100, `${sent} requests`);
    const greetings = new Set([...answers].map((answer) => answer.split(' ')[1]));
    t.same([...greetings].toSorted(), ['one', 'two'], 'both versions answered');
    t.ok(answers.size >= 9, 'instances of every step answered');
  }

  await t.test('an app that is removed is gone everywhere', async (t) => {
    const tasks = (await api.tasks('/web')).map((task) => task.id);
    await api.remove('/web');
    await api.spread();
    t.same(await api.must('GET', '/v2/apps'), { apps: [] });
    t.same(tasks.flatMap(processesOfTask), []);
    t.equal((await host.exec(['dig', '@127.0.0.1', '-p', '10053', '+short', 'web.weir'])).stdout, '');
    // Sets also hold notes of connections that failed lately; only maps lead anywhere.
    const maps = await host.shell('nft list map ip weir services && nft list map ip weir tcp-targets');
    t.match(maps, /map services.*map tcp-targets/s);
    t.notOk(maps.includes('9000'), 'no virtual address leads anywhere');
  });

  async function change(what: string, method: 'PUT' | 'POST', path: string, body?: object): Promise<void> {
    const started = performance.now();
    await api.must(method, path, body);
    await api.settled('/web');
    t.comment(`${what} in ${Math.round(performance.now() - started)} ms`);
  }
});

t.test('without acknowledgements the same change loses requests', { skip }, async (t) => {
  const host = await openHost(t, 'noacks');
  const product = await startProduct(host, { flags: ['--no-wait-for-acks'] });
  const loads = await underLoad(host, product, 0.5);
  let failures = 0;
  for (let round = 0; round < 4 && failures === 0; round++) {
    await product.api.must('POST', '/v2/apps/web/restart');
    await product.api.settled('/web');
  }
  for (const load of loads) failures += (await load.stop()).failures.length;
  t.ok(failures > 0, `${failures} requests failed`);
});

/** The app, with load on its public route and on its virtual address; slow enough that requests are always in flight. */
async function underLoad(host: Host, { api }: Product, delay: number) {
  await api.deploy(webServer('/web', { host: 'web.example', greeting: 'one', delay }));
  await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 2);
  await api.spread();
  const { stdout } = await host.exec(['dig', '@127.0.0.1', '-p', '10053', '+short', 'web.weir']);
  const edge = { name: 'edge', url: 'http://127.0.0.1:8000/', host: 'web.example' };
  const vip = { name: 'VIP', url: `http://${stdout}:9000/` };
  return [edge, vip].map((target) => startLoad(host, target, { perSecond: 40 }));
}
