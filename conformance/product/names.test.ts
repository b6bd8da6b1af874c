import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { becomes } from '../lab/processes.ts';
import { script, webServer } from './definitions.ts';
import { openHost } from './host.ts';
import { startProduct } from './product.ts';

const skip =
  process.getuid?.() !== 0 ? 'needs root' : existsSync('/usr/bin/dig') ? false : 'needs dig (dnsutils)';
const node = '169.254.53.53';

t.test('every container and the machine itself ask the resolver at one address', { skip }, async (t) => {
  const host = await openHost(t, 'names');
  const settings = join(host.dir, 'dns.json');
  await writeFile(settings, JSON.stringify({ records: { 'db.weir': { A: '100.64.200.1' } } }));
  const { api } = await startProduct(host, { flags: ['--dns-settings', settings] });
  await api.deploy(webServer('/shop/web', { instances: 1 }));
  await api.deploy(
    script('/shop/visitor', [
      'cat /etc/resolv.conf',
      ...['web', 'web.shop', 'web.shop.weir', 'web-shop.marathon.mesos'].map(
        (name) => `getent ahostsv4 ${name} >/dev/null && echo found ${name}`,
      ),
      'getent hosts nobody || echo nobody is not found',
    ]),
  );
  const [visitor] = await api.tasks('/shop/visitor');
  const log = () => api.log(visitor?.id ?? '');
  t.ok(await becomes(async () => (await log()).includes('done'), 30_000));
  const lines = await log();
  t.same(lines.slice(0, 2), [`nameserver ${node}`, 'search shop.weir weir']);
  t.same(lines.slice(3, -1), [
    'found web',
    'found web.shop',
    'found web.shop.weir',
    'found web-shop.marathon.mesos',
    'nobody is not found',
  ]);
  const dig = async (question: string) =>
    (await host.shell(`dig @${node} +short +tries=1 ${question}`)).trim().split('\n').toSorted();

  await t.test(
    'the machine finds fixed names there, those of machines, and records by settings',
    async (t) => {
      t.same(await dig('db.weir'), ['100.64.200.1']);
      const [leader = ''] = await dig('leader.mesos');
      t.same(await dig('zk-5.zk'), [leader]);
      t.match(await dig(`-x ${leader}`), [/\.agents\.weir\.$/]);
      t.match(await dig('_leader._tcp.mesos SRV'), [/^0 1 \d+ leader\.mesos\.$/]);
      t.same(await dig('ready.spartan'), ['127.0.0.1']);
      t.same(await dig('thisnode.thisdcos.directory'), [leader]);
      t.same(await dig('ns1.mesos'), [node]);
    },
  );
});
