import t, { type Test } from 'tap';
import { request } from 'undici';
import { becomes, signalTo, startTimeOf } from '../lab/processes.ts';
import { script, webServer } from './definitions.ts';
import { type Host, openHost } from './host.ts';
import { startLoad } from './load.ts';
import { childrenOf, commandLineOf, processesIn, processesOfTask } from './machine.ts';
import { type Product, startProduct } from './product.ts';

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

t.test('kill -9 of a part is made good', { skip }, async (t) => {
  const host = await openHost(t, 'parts');
  const product = await serving(host);
  const { api } = product;
  const before = await running(product);

  await t.test('the resolver’s process', async (t) => {
    const vip = await vipOf(host);
    const old = await kill(worker(product, '/dns/'));
    t.ok(await becomes(async () => worker(product, '/dns/') !== old, withinMs), 'another one runs');
    t.ok(await becomes(async () => (await vipOf(host)) === vip, withinMs), 'and gives the same answer');
  });

  await t.test('the edge’s process', async (t) => {
    const old = await kill(worker(product, '/edge/'));
    t.match(await get(host, 'http://127.0.0.1:8000/', 'web.example'), / hi$/, 'no client is turned away');
    t.not(worker(product, '/edge/'), old, 'another one runs');
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

async function serving(host: Host): Promise<Product> {
  const product = await startProduct(host);
  await product.api.deploy(webServer('/web', { host: 'web.example' }));
  await product.api.until('/web', ({ tasksHealthy }) => tasksHealthy === 2);
  await product.api.spread();
  return product;
}

/** Tasks of /web and their processes. */
async function running({ api }: Product): Promise<ReadonlyMap<string, readonly number[]>> {
  const tasks = (await api.tasks('/web')).map((task) => task.id).toSorted();
  return new Map(tasks.map((task) => [task, processesOfTask(task)]));
}

/** How far the tasks of /web are, as text. */
async function states({ api }: Product): Promise<string> {
  const tasks = await api.tasks('/web');
  const { deployments } = await api.app('/web');
  const texts = tasks.map((task) => `${task.id} ${task.state} ${task.healthCheckResults?.length}`);
  return [deployments.length, ...texts].join(', ');
}

/** Every task has processes, every container a task, and no two an address. */
async function consistent(t: Test, host: Host, { api }: Product): Promise<void> {
  const { tasks } = await api.must<{ tasks: Awaited<ReturnType<typeof api.tasks>> }>('GET', '/v2/tasks');
  const addresses = tasks.map((task) => task.ipAddresses[0]?.ipAddress);
  t.equal(new Set(addresses).size, tasks.length, 'no two tasks have one address');
  t.ok(
    tasks.every((task) => processesOfTask(task.id).length > 0),
    'every task has a process',
  );
  const single = await becomes(async () => {
    const cables = await host.shell('ip -o link show type veth | wc -l');
    return Number(cables) === tasks.length;
  }, withinMs);
  t.ok(single, 'there are as many containers as tasks');
}

function worker({ pid }: Product, part: string): number | undefined {
  return childrenOf(pid).find((child) => commandLineOf(child).includes(part));
}

async function kill(pid: number | undefined): Promise<number> {
  if (pid === undefined) throw new Error('there is no such process');
  signalTo(pid, 'SIGKILL');
  await becomes(async () => (await startTimeOf(pid)) === undefined, withinMs);
  return pid;
}

async function vipOf(host: Host): Promise<string> {
  const { stdout } = await host.exec(['dig', '@127.0.0.1', '-p', '10053', '+short', '+tries=1', 'web.weir']);
  return `http://${stdout}:9000/`;
}

async function get(host: Host, url: string, name?: string): Promise<string> {
  const answer = await request(url, {
    dispatcher: host.tunnel.single,
    headersTimeout: 5_000,
    ...(name === undefined ? {} : { headers: { host: name } }),
  });
  return (await answer.body.text()).trim();
}
