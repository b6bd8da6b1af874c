import t from 'tap';
import { becomes } from '../lab/processes.ts';
import type { Api } from './api.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { script } from './definitions.ts';
import { podStatus, podUntil } from './pod-api.ts';
import { type Client, clients, isPod, type MatrixTarget, targets } from './vip-matrix.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
t.setTimeout(500_000);

/** vip.md §18; what a container is made of (Docker, UCR) is one thing in Weir, so that column has none, UCR and pod. */
for (const kind of ['ebpf', 'nftables'])
  t.test(
    `${kind} leads every kind of client of a virtual IP to every kind of backend`,
    { skip },
    async (t) => {
      const flags = ['--vip', kind];
      const cluster = await startCluster(t, `mx${kind.slice(0, 1)}`, { agents: [flags, flags] });
      const { api } = cluster;
      await Promise.all(targets.map((target) => post(api, target)));
      await api.spread();
      const urls = targets.flatMap(({ definition: { id }, named, address }) =>
        [named, address].map((at) => ({ id, url: `http://${at}/` })),
      );
      // Nothing checks their health: that they answer themselves says also that they listen.
      await t.test('each backend asks itself', async (t) => {
        for (const target of targets) {
          const said = async () => (await logOf(api, target)).includes(`itself from ${target.definition.id}`);
          t.ok(await becomes(said, 20_000), target.definition.id);
        }
      });
      for (const client of clients)
        await t.test(`${client.name} asks`, async (t) => {
          const lines = await answers(cluster, client, urls);
          t.equal(lines.length, urls.length);
          for (const [index, { id, url }] of urls.entries())
            t.equal(lines[index], id, `${url} is answered by ${id}`);
        });
      await t.test('and is gone with its app: no name, no answer', async (t) => {
        const [{ definition, named, address }] = targets;
        await api.remove(definition.id);
        await api.spread();
        const asked = ['dig', '@169.254.53.53', named.replace(/:\d+$/, '')];
        const unknown = async () => /NXDOMAIN/.test((await cluster.lab.exec('h2', asked)).stdout);
        t.ok(await becomes(unknown, 10_000), 'NXDOMAIN');
        const { stderr } = await cluster.lab.exec('h2', ['curl', '-sSm', '5', `http://${address}/`]);
        t.match(stderr, /refused|Failed to connect/);
      });
    },
  );

async function post(api: Api, target: MatrixTarget): Promise<void> {
  const { definition } = target;
  if (!isPod(target)) return void (await api.deploy(definition));
  await api.must('POST', '/v2/pods', definition);
  await podUntil(api, definition.id, ({ status }) => status === 'STABLE');
}

async function logOf(api: Api, target: MatrixTarget): Promise<readonly string[]> {
  const { id } = target.definition;
  if (!isPod(target)) return api.log((await api.tasks(id))[0]?.id ?? '');
  const [instance] = (await podStatus(api, id)).instances;
  const path = `/v1/instances/${instance?.id}/log?stream=stdout&container=web`;
  return (await api.must<{ lines: readonly { text: string }[] }>('GET', path)).lines.map(({ text }) => text);
}

type Asked = readonly { readonly url: string }[];

/** The second word of each answer, or what curl says. */
const ask = (url: string) =>
  `curl --silent --show-error --max-time 5 --retry 2 --retry-connrefused ${url} 2>&1 | sed 's/.* //'`;

/** A process of a machine that was told of the resolver once, in a file of its own: hosts of a lab share one. */
const onMachine = (lines: readonly string[]): readonly string[] => {
  const told = 'f=$(mktemp); echo "nameserver 169.254.53.53" > $f; mount --bind $f /etc/resolv.conf; rm $f';
  return ['unshare', '--mount', 'sh', '-c', [told, ...lines].join('\n')];
};

async function answers(cluster: Cluster, client: Client, urls: Asked): Promise<readonly string[]> {
  const { network, host } = client;
  const lines = urls.map(({ url }) => ask(url));
  if (network !== undefined) return inContainer(cluster.api, client, lines);
  const { stdout } = await cluster.lab.exec(host, onMachine(lines), { timeoutMs: 120_000 });
  return stdout.trim().split('\n');
}

async function inContainer(
  api: Api,
  { name, network, host }: Client,
  commands: readonly string[],
): Promise<readonly string[]> {
  const id = `/${name.replaceAll(' ', '-')}`;
  await api.deploy(script(id, commands, { networks: [network], constraints: [['hostname', 'LIKE', host]] }));
  const [task] = await api.tasks(id);
  let lines: readonly string[] = [];
  await becomes(async () => {
    lines = await api.log(task?.id ?? '');
    return lines.includes('done');
  }, 60_000);
  await api.remove(id);
  return lines.filter((line) => line !== 'done');
}
