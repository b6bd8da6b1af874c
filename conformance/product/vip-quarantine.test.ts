import t from 'tap';
import type { Api } from './api.ts';
import { openHost } from './host.ts';
import { startProduct } from './product.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
t.setTimeout(120_000);

/** Eight addresses. */
const flags = ['--vip-range', '100.100.7.0/29'];

t.test(
  "a deleted app's virtual address is kept from others over a kill of the master, and returns to its name",
  { skip },
  async (t) => {
    const host = await openHost(t, 'vipq');
    let product = await startProduct(host, { flags });
    for (const name of ['left', 'one', 'two']) await post(product.api, name);
    const before = await addresses(product.api);
    t.equal(new Set(before.values()).size, 3);
    const left = before.get('/left');
    await product.api.remove('/left');
    t.notOk((await addresses(product.api)).has('/left'));

    await product.end('SIGKILL');
    product = await startProduct(host, { flags });
    for (const name of ['three', 'four', 'five', 'six', 'seven']) await post(product.api, name);
    const after = await addresses(product.api);
    t.equal(new Set(after.values()).size, 7, 'all but one of eight are given');
    t.notOk([...after.values()].includes(left ?? ''), 'that one not');
    for (const name of ['one', 'two']) t.equal(after.get(`/${name}`), before.get(`/${name}`), 'nobody moves');
    const full = await product.api.call('POST', '/v2/apps', definition('eight'));
    t.not(full.status, 201);
    t.match(full.text, /range/, 'rather is an app refused');

    await post(product.api, 'left');
    t.equal((await addresses(product.api)).get('/left'), left);
    await product.end('SIGTERM');
  },
);

/** Without instances: an app has its address from when it is defined. */
function definition(name: string) {
  return {
    id: `/${name}`,
    cmd: 'sleep 1000',
    instances: 0,
    cpus: 0.01,
    mem: 32,
    networks: [{ mode: 'container', name: 'weir' }],
    container: { type: 'MESOS', portMappings: [{ containerPort: 9000, name: 'http' }] },
  };
}

async function post(api: Api, name: string): Promise<void> {
  await api.deploy(definition(name));
}

/** By app. */
async function addresses(api: Api): Promise<ReadonlyMap<string, string>> {
  const vips = await api.must<readonly { apps: readonly string[]; address: string }[]>('GET', '/v1/vips');
  return new Map(vips.map(({ apps, address }) => [apps[0] ?? '', address]));
}
