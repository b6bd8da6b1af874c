import t from 'tap';
import { becomes } from '../lab/processes.ts';
import type { Api } from './api.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { script } from './definitions.ts';
import { podUntil } from './pod-api.ts';
import { clients, isPod, type MatrixTarget, targets } from './vip-matrix.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
t.setTimeout(300_000);

/** vip.md §18; what a container is made of (Docker, UCR) is one thing in Weir, so that column has none, UCR and pod. */
t.test(
  'a virtual IP leads every kind of client to every kind of backend, on its machine and on another',
  { skip },
  async (t) => {
    const cluster = await startCluster(t, 'matrix', { agents: [[], []] });
    const { api } = cluster;
    for (const target of targets) await post(api, target);
    await api.spread();
    const urls = targets.flatMap(({ definition: { id }, named, address }) =>
      [named, address].map((at) => ({ id, url: `http://${at}/` })),
    );
    for (const { name, network, host } of clients)
      await t.test(`${name} asks`, async (t) => {
        const lines =
          network === undefined
            ? await onHost(cluster, host, urls)
            : await inContainer(api, { name, network, host }, urls);
        t.equal(lines.length, urls.length);
        for (const [index, { id, url }] of urls.entries())
          t.equal(lines[index], id, `${url} is answered by ${id}`);
      });
    await t.test('and is gone with its app: no name, no answer', async (t) => {
      const [{ definition, named }] = targets;
      await api.remove(definition.id);
      await api.spread();
      const asked = ['dig', '@127.0.0.1', '-p', '10053', named.replace(/:\d+$/, '')];
      t.ok(
        await becomes(async () => /NXDOMAIN/.test((await cluster.lab.exec('h2', asked)).stdout), 10_000),
        'NXDOMAIN',
      );
    });
  },
);

async function post(api: Api, target: MatrixTarget): Promise<void> {
  const { definition } = target;
  if (!isPod(target)) return void (await api.deploy(definition));
  await api.must('POST', '/v2/pods', definition);
  await podUntil(api, definition.id, ({ status }) => status === 'STABLE');
}

type Asked = readonly { readonly url: string }[];

/** The second word of each answer, or what curl says. */
const ask = (url: string) =>
  `curl --silent --show-error --max-time 5 --retry 2 --retry-connrefused ${url} 2>&1 | sed 's/.* //'`;

async function onHost({ lab }: Cluster, host: string, urls: Asked): Promise<readonly string[]> {
  const lines = urls.map(({ url }) => {
    const name = new URL(url).hostname;
    const address = `$(dig @127.0.0.1 -p 10053 +short ${name} | head -1)`;
    return ask(/^[\d.]+$/.test(name) ? url : url.replace(name, address));
  });
  const { stdout } = await lab.exec(host, ['sh', '-c', lines.join('\n')], { timeoutMs: 120_000 });
  return stdout.trim().split('\n');
}

async function inContainer(
  api: Api,
  { name, network, host }: { readonly name: string; readonly network: object; readonly host: string },
  urls: Asked,
): Promise<readonly string[]> {
  const id = `/${name.replaceAll(' ', '-')}`;
  const constraints = [['hostname', 'LIKE', host]];
  const more = { networks: [network], constraints };
  await api.deploy(
    script(
      id,
      urls.map(({ url }) => ask(url)),
      more,
    ),
  );
  const [task] = await api.tasks(id);
  let lines: readonly string[] = [];
  await becomes(async () => {
    lines = await api.log(task?.id ?? '');
    return lines.includes('done');
  }, 60_000);
  await api.remove(id);
  return lines.filter((line) => line !== 'done');
}
