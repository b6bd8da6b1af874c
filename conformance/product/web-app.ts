import type { Test } from 'tap';
import { request } from 'undici';
import { becomes } from '../lab/processes.ts';
import { webServer } from './definitions.ts';
import type { Host } from './host.ts';
import { processesOfTask } from './machine.ts';
import { type Product, startProduct } from './product.ts';

const withinMs = 20_000;

/** Weir with an app /web that has two healthy instances, a public route and a virtual address. */
export async function serving(host: Host): Promise<Product> {
  const product = await startProduct(host);
  await product.api.deploy(webServer('/web', { host: 'web.example' }));
  await product.api.until('/web', ({ tasksHealthy }) => tasksHealthy === 2);
  await product.api.spread();
  return product;
}

/** Tasks of /web and the first process of each; further ones come and go with requests. */
export async function running({ api }: Product): Promise<ReadonlyMap<string, readonly number[]>> {
  const tasks = (await api.tasks('/web')).map((task) => task.id).toSorted();
  return new Map(tasks.map((task) => [task, processesOfTask(task).slice(0, 1)]));
}

/** Every task has processes, every container a task, and no two an address. */
export async function consistent(t: Test, host: Host, { api }: Product): Promise<void> {
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

export async function vipOf(host: Host): Promise<string> {
  const { stdout } = await host.exec(['dig', '@127.0.0.1', '-p', '10053', '+short', '+tries=1', 'web.weir']);
  return `http://${stdout}:9000/`;
}

export async function get(host: Host, url: string, name?: string): Promise<string> {
  const answer = await request(url, {
    dispatcher: host.tunnel.single,
    headersTimeout: 5_000,
    ...(name === undefined ? {} : { headers: { host: name } }),
  });
  return (await answer.body.text()).trim();
}
