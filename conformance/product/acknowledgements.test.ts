import t, { type Test } from 'tap';
import { becomes, signalTo } from '../lab/processes.ts';
import { script } from './definitions.ts';
import { type Host, openHost } from './host.ts';
import { processesOfTask, workerOf } from './machine.ts';
import { type Product, startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const watchedMs = 1_000;
const withinMs = 15_000;

type Node = { readonly acks: Readonly<Record<string, number>>; readonly revision: number };

t.test('a container is not stopped while the resolver may still name it', { skip }, async (t) => {
  const { product, tasks, thaw } = await scaledDown(t, await openHost(t, 'acks'), []);
  t.ok(await othersHave(product), 'all others have the revision without it in force');
  t.notOk(await becomes(async () => stopped(tasks) > 0, watchedMs), 'it goes on running');
  thaw();
  t.ok(
    await becomes(async () => stopped(tasks) === 1, withinMs),
    'it ends when the resolver has acknowledged',
  );
  await product.api.settled('/held');
});

t.test('without acknowledgements it is', { skip }, async (t) => {
  const { tasks } = await scaledDown(t, await openHost(t, 'noack'), ['--no-wait-for-acks']);
  t.ok(
    await becomes(async () => stopped(tasks) === 1, withinMs),
    'it ends while the resolver still names it',
  );
});

/** Two instances of which one has to go, and a resolver that stands still. */
async function scaledDown(t: Test, host: Host, flags: readonly string[]) {
  // The bound is out of the way: what is seen comes from acknowledgements.
  const product = await startProduct(host, { flags: [...flags, '--drain-limit', '600'] });
  await product.api.deploy(script('/held', [], { instances: 2 }));
  const tasks = (await product.api.tasks('/held')).map((task) => task.id);
  const resolver = workerOf(product, '/dns/');
  if (resolver === undefined) throw new Error('there is no process of the resolver');
  const thaw = () => signalTo(resolver, 'SIGCONT');
  t.teardown(thaw);
  signalTo(resolver, 'SIGSTOP');
  await product.api.must('PUT', '/v2/apps/held', { instances: 1 });
  return { product, tasks, thaw };
}

function othersHave({ api }: Product): Promise<boolean> {
  return becomes(async () => {
    const { nodes } = await api.must<{ nodes: readonly Node[] }>('GET', '/v1/nodes');
    return nodes.every(({ acks: { dns = 0, ...others }, revision }) => {
      return dns < revision && Object.values(others).every((ack) => ack >= revision);
    });
  }, withinMs);
}

function stopped(tasks: readonly string[]): number {
  return tasks.filter((task) => processesOfTask(task).length === 0).length;
}
