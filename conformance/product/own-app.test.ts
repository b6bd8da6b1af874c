import t from 'tap';
import { request } from 'undici';
import { becomes } from '../lab/processes.ts';
import { script, webServer } from './definitions.ts';
import { openHost } from './host.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('an app of one’s own is reached by every way there is', { skip }, async (t) => {
  const host = await openHost(t, 'own');
  const { api } = await startProduct(host, { flags: ['--vip-range', '100.101.0.0/16'] });
  const definition = webServer('/shop/web', { vip: '/storefront:80', host: 'shop.example' });
  await api.deploy(definition);
  const app = await api.until('/shop/web', ({ tasksHealthy }) => tasksHealthy === 2);
  const tasks = await api.tasks('/shop/web');
  const addresses = tasks.map((task) => task.ipAddresses[0]?.ipAddress ?? '').toSorted();
  const bodies = tasks.map((task) => `${task.id} hi`).toSorted();
  t.match(app.tasks.length, 2);
  t.match(addresses, [/^100\.64\.0\.\d+$/, /^100\.64\.0\.\d+$/]);
  t.equal(new Set(addresses).size, 2);

  await t.test('by the address of each container', async (t) => {
    const answers = await Promise.all(addresses.map((address) => get(`http://${address}:9000/`)));
    t.same(answers.toSorted(), bodies);
  });

  await t.test('by its name among the tasks, with a record of its ports', async (t) => {
    t.same((await dig('web-shop.marathon.mesos')).toSorted(), addresses);
    const services = (await dig('_http._web-shop._tcp.marathon.mesos', 'SRV')).toSorted();
    t.match(services, [/^0 1 9000 web-shop-\S+\.marathon\.mesos\.$/, /^0 1 9000 web-shop-/]);
    const targets = services.map((line) => line.split(' ')[3] ?? '');
    t.same((await Promise.all(targets.map((name) => dig(name)))).flat().toSorted(), addresses);
  });

  await t.test('by its own name and its VIP’s name, which answer with virtual addresses', async (t) => {
    const [own = ''] = await dig('web.shop.weir');
    const [named = ''] = await dig('storefront.marathon.l4lb.thisdcos.directory');
    t.match(own, /^100\.101\.\d+\.\d+$/);
    t.match(named, /^100\.101\.\d+\.\d+$/);
    t.same(await seen(() => get(`http://${own}:9000/`)), bodies, 'its port there is the container’s');
    t.same(await seen(() => get(`http://${named}/`)), bodies);
  });

  await t.test('by the edge, and by nothing else there', async (t) => {
    t.same(await seen(() => get('http://127.0.0.1:8000/', 'shop.example')), bodies);
    const unknown = await request('http://127.0.0.1:8000/', {
      dispatcher: host.tunnel.dispatcher,
      headers: { host: 'other.example' },
    });
    await unknown.body.dump();
    t.match(unknown.statusCode, /^(404|503)$/);
  });

  await t.test('from inside another container, by names, VIPs and address', async (t) => {
    const ways = [
      'http://web-shop.marathon.mesos:9000/',
      'http://web.shop.weir:9000/',
      'http://web.shop:9000/',
      'http://storefront.marathon.l4lb.thisdcos.directory/',
      `http://${(await dig('storefront.marathon.l4lb.thisdcos.directory'))[0]}/`,
      `http://${addresses[0]}:9000/`,
    ];
    await api.deploy(
      script(
        '/visitor',
        ways.map((url) => `curl --silent --show-error --max-time 5 ${url} 2>&1`),
      ),
    );
    const [visitor] = await api.tasks('/visitor');
    const log = () => api.log(visitor?.id ?? '');
    t.ok(await becomes(async () => (await log()).includes('done'), 30_000));
    const lines = await log();
    t.equal(lines.length, ways.length + 1);
    for (const [index, way] of ways.entries())
      t.ok(bodies.includes(lines[index] ?? ''), `${way}: ${lines[index]}`);
  });

  await t.test('from itself through its own virtual address', async (t) => {
    const alone = webServer('/alone', { instances: 1 });
    const asks = 'until curl --silent --fail --max-time 5 http://alone.weir:9000/; do sleep 0.2; done; wait';
    await api.deploy({ ...alone, cmd: `${String(alone['cmd']).replace('exec ', '')} & ${asks}` });
    const [task] = await api.tasks('/alone');
    const id = task?.id ?? '';
    t.ok(await becomes(async () => (await api.log(id)).includes(`${id} hi`), 20_000));
  });

  async function get(url: string, name?: string): Promise<string> {
    const answer = await request(url, {
      dispatcher: host.tunnel.single,
      headersTimeout: 5_000,
      ...(name === undefined ? {} : { headers: { host: name } }),
    });
    return (await answer.body.text()).trim();
  }

  /** All different answers of forty requests, in order. */
  async function seen(ask: () => Promise<string>): Promise<readonly string[]> {
    const answers = new Set<string>();
    for (let count = 0; count < 40; count++) answers.add(await ask());
    return [...answers].toSorted();
  }

  async function dig(name: string, type = 'A'): Promise<readonly string[]> {
    const { stdout } = await host.exec(['dig', '@127.0.0.1', '-p', '10053', '+short', name, type]);
    return stdout.split('\n').filter((line) => line !== '');
  }
});
