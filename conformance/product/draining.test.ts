import { spawn } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { webServer } from './definitions.ts';
import { type Host, openHost } from './host.ts';
import { type Product, program, startProduct } from './product.ts';
import { resolve } from './resolve.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
t.setTimeout(180_000);
const withinMs = 15_000;

type Backend = { readonly instance: string; readonly weight: number; readonly because?: string };

t.test(
  'what drains keeps its connections and gets new ones only if nobody else is left',
  { skip },
  async (t) => {
    const host = await openHost(t, 'drain');
    const product = await startProduct(host, { flags: ['--drain-limit', '60'] });
    const { api } = product;
    await api.deploy(webServer('/web'));
    await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 2);
    const vip = await resolve(host, 'web.weir');
    const all = (await api.tasks('/web')).map(({ id }) => id);

    const held = await Promise.all(Array.from({ length: 12 }, () => hold(host, vip)));
    await api.must('PUT', '/v2/apps/web', { instances: 1 });
    t.ok(await becomes(async () => (await draining(product)).length === 1, withinMs), 'one drains');
    const [leaving] = await draining(product);
    t.match(leaving?.because, /drains/);
    t.match((await host.exec([program, 'vip', 'why', '/web'])).stdout, /takes none: it drains/);
    const others = await answers(host, vip, 12);
    t.equal(new Set(others).size, 1, 'only the other is asked');
    const addresses = await host.shell('dig @127.0.0.1 -p 10053 +short web.marathon.mesos');
    t.equal(addresses.trim().split('\n').length, 1, 'and named');
    t.same(
      new Set(await Promise.all(held.map((one) => one.end()))),
      new Set(all),
      'what was open is answered',
    );
    t.ok(await becomes(async () => (await backends(product)).length === 1, withinMs), 'then it ends');

    await api.settled('/web');
    const last = await hold(host, vip);
    await api.must('PUT', '/v2/apps/web', { instances: 0 });
    t.ok(
      await becomes(async () => (await draining(product, 1)).length === 1, withinMs),
      'the last one drains',
    );
    t.same(new Set(await answers(host, vip, 5)), new Set(others), 'and is asked, for nobody else is there');
    t.equal(await last.end(), others[0]);
    t.ok(await becomes(async () => (await backends(product)).length === 0, withinMs), 'then it ends');
    t.equal(
      (await host.exec(['curl', '-s', '-m', '2', `http://${vip}:9000/`])).exitCode,
      7,
      'nobody is there',
    );
  },
);

async function backends({ api }: Product): Promise<readonly Backend[]> {
  const vips = await api.must<readonly { backend: readonly Backend[] }[]>('GET', '/v1/vips');
  return vips[0]?.backend ?? [];
}

/** Those that drain; `weight`: what they take meanwhile. */
async function draining(product: Product, weight = 0): Promise<readonly Backend[]> {
  const directory = await product.api.must<{
    endpoints: readonly { instanceId: string; draining?: object }[];
  }>('GET', '/v1/directory');
  const ids = new Set(directory.endpoints.filter((one) => one.draining).map(({ instanceId }) => instanceId));
  return (await backends(product)).filter((one) => ids.has(one.instance) && one.weight === weight);
}

/** Who answers so many requests, one after the other. */
async function answers(host: Host, vip: string, count: number): Promise<readonly string[]> {
  const text = await host.shell(`for n in $(seq ${count}); do curl -s -m 5 http://${vip}:9000/; done`);
  return text.trim().split('\n').map(taskOf);
}

/** A connection that asks when it is told to end; resolves when it is open. `end` gives who answered. */
async function hold(host: Host, vip: string): Promise<{ end(): Promise<string> }> {
  const script = `exec 3<>/dev/tcp/${vip}/9000 && echo open && read && printf 'GET / HTTP/1.1\r\n\r\n' >&3 && tail -n 1 <&3`;
  const [file, ...args] = host.inside(['bash', '-c', script]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdout.setEncoding('utf8');
  await once(child.stdout, 'data');
  return {
    async end() {
      let text = '';
      child.stdout.on('data', (more: string) => {
        text += more;
      });
      child.stdin.write('\n');
      await once(child, 'close');
      return taskOf(text);
    },
  };
}

function taskOf(answer: string): string {
  return answer.split(' ')[0] ?? '';
}
