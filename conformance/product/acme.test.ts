import t, { type Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { type Pebble, startPebble } from './pebble.ts';

t.setTimeout(300_000);

const skip = process.getuid?.() === 0 ? false : 'needs root';
const edge = ['--edge', '--http', '0.0.0.0:80', '--https', '0.0.0.0:443'];
/** Half of the nonces are refused, what was proved once need not be proved again, and it takes its time to look. */
const faults = { PEBBLE_WFE_NONCEREJECT: '50', PEBBLE_AUTHZREUSE: '100', PEBBLE_VA_SLEEPTIME: '2' };

type Shown = {
  readonly serialNumber?: string;
  readonly issuance: { readonly state: string; readonly renewsAt?: string; readonly failures: number };
};

async function setUp(t: Test, label: string, options: Parameters<typeof startPebble>[1]) {
  const cluster = await startCluster(t, label, { agents: [edge, edge] });
  const pebble = await startPebble(cluster.lab, options);
  const { directory, trust, resolver } = pebble;
  const place = ['--trust', trust, '--resolver', resolver];
  await must(
    cluster,
    'cert',
    'authority',
    'add',
    directory,
    '--agree-terms',
    '--email',
    'ops@shop.example',
    ...place,
  );
  return { ...cluster, pebble };
}

/** A host that both edges serve. */
async function host({ api, lab, pebble }: Cluster & { pebble: Pebble }, name: string): Promise<void> {
  await pebble.addresses(
    name,
    lab.hosts.map(({ address }) => address),
  );
  const redirect = { scheme: 'https', status: 308 };
  await api.must('POST', '/v1/routes', { id: name, host: name, redirect, deny: ['0.0.0.0/0'] });
}

async function must({ weir }: Cluster, ...words: readonly string[]): Promise<string> {
  const ran = await weir(...words);
  if (ran.exitCode !== 0) throw new Error(`weir ${words.join(' ')}: ${ran.stderr}`);
  return ran.stdout;
}

/** The serial number of what a client gets on each of the edges. */
async function served({ lab }: Cluster, name: string): Promise<readonly string[]> {
  const asked = lab.hosts.map(async ({ address }) => {
    const line = `openssl s_client -connect ${address}:443 -servername ${name} </dev/null 2>/dev/null | openssl x509 -noout -serial`;
    return (await lab.exec('h1', ['sh', '-c', line])).stdout.trim().replace('serial=', '');
  });
  return Promise.all(asked);
}

t.test('pebble issues through two edges, with its faults', { skip }, async (t) => {
  const cluster = await setUp(t, 'acme', { env: faults });
  const { api, pebble } = cluster;
  const show = (name: string) => api.must<Shown>('GET', `/v1/certificates/${name}`);

  for (const challenge of ['http-01', 'tls-alpn-01'])
    await t.test(`by ${challenge}, and both edges use it`, async (t) => {
      const name = `${challenge}.shop.example`;
      await host(cluster, name);
      const said = await must(cluster, 'cert', 'issue', name, '--challenge', challenge);
      t.match(said, new RegExp(`^${name}: issued until \\d{4}-.*, renewed at \\d{4}-`));
      const { serialNumber = 'none' } = await show(name);
      t.ok(
        await becomes(async () => (await served(cluster, name)).every((one) => one === serialNumber), 10_000),
      );
    });

  await t.test('anew, when it is asked to, though nothing has to be proved', async (t) => {
    const name = 'http-01.shop.example';
    const { serialNumber } = await show(name);
    await must(cluster, 'cert', 'issue', name, '--renew');
    t.not((await show(name)).serialNumber, serialNumber);
  });

  await t.test('one certificate for several hosts', async (t) => {
    const names = ['a.shop.example', 'b.shop.example'];
    for (const name of names) await host(cluster, name);
    await must(cluster, 'cert', 'issue', ...names, '--name', 'several', '--challenge', 'tls-alpn-01');
    t.match(await show('several'), { hosts: names });
  });

  await t.test('after a restart in which it forgot everything', async () => {
    await host(cluster, 'again.shop.example');
    await pebble.restart();
    const issuing = ['cert', 'issue', 'again.shop.example'];
    const first = await cluster.weir(...issuing);
    // It may say first that it knows no such account: that is another try, not another word.
    if (first.exitCode !== 0) await must(cluster, ...issuing);
  });

  await t.test('what would fail is said before it is asked', async (t) => {
    const refused = async (name: string, expected: RegExp) => {
      const ran = await cluster.weir('cert', 'issue', name);
      t.equal(ran.exitCode, 1, name);
      t.match(ran.stderr, expected);
      await must(cluster, 'cert', 'rm', name);
    };
    await refused(
      'nowhere.example',
      /no route leads from nowhere\.example .*nowhere\.example does not resolve/,
    );
    await host(cluster, 'elsewhere.example');
    await pebble.addresses('elsewhere.example', ['100.127.0.77']);
    await refused(
      'elsewhere.example',
      /elsewhere\.example resolves to 100\.127\.0\.77, where no edge of ours answers on port 80/,
    );
    await host(cluster, 'forbidden.example');
    await pebble.caa('forbidden.example', ';');
    await refused('forbidden.example', /CAA records of forbidden\.example forbid/);
  });

  await t.test('an authority that is away is asked again, and the order is kept', async (t) => {
    await host(cluster, 'late.shop.example');
    await pebble.stop();
    const ran = await cluster.weir('cert', 'issue', 'late.shop.example');
    t.match(ran, { exitCode: 1, stderr: /Cannot ask the authority/ });
    await pebble.start();
    const issued = async () => (await show('late.shop.example')).issuance.state === 'issued';
    t.ok(await becomes(issued, 60_000), 'without anybody asking again');
  });
});

t.test('what pebble issued is renewed before it ends', { skip }, async (t) => {
  const lifetime = 30;
  const cluster = await setUp(t, 'renew', { env: { PEBBLE_VA_NOSLEEP: '1' }, lifetime });
  const { api } = cluster;
  await host(cluster, 'short.shop.example');
  await must(cluster, 'cert', 'issue', 'short.shop.example');
  const first = await api.must<Shown>('GET', '/v1/certificates/short.shop.example');
  const until = performance.now() + lifetime * 1_000;
  const isAnother = async () =>
    !(await served(cluster, 'short.shop.example')).includes(first.serialNumber ?? '');
  t.ok(await becomes(isAnother, lifetime * 1_000), 'both edges use another one');
  t.ok(performance.now() < until, 'before the first one came to its end');
});
