import { kill } from 'node:process';
import t, { type Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { webServer } from './definitions.ts';
import { processesOfTask } from './machine.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
t.setTimeout(240_000);
/** A client gives up one connection after this long, s. */
const patience = 0.7;

type Asked = { readonly at: number; readonly ok: boolean };
/** Where a client is, and what it takes for the app's address. */
type Client = { readonly host: string; readonly by: string };

const dig = 'dig @127.0.0.1 -p 10053 +short';
/** A client that asks for the name each time, and takes one of the addresses. */
const named = `$(${dig} web.marathon.mesos | shuf -n 1)`;

/** h1 is without programs at the socket, h2 has them, h3 is what fails. */
t.test('names and virtual IPs leave what is killed or cut off', { skip }, async (t) => {
  const cluster = await startCluster(t, 'vips', { agents: [['--vip', 'nftables'], ['--vip', 'ebpf'], []] });
  const { api, lab } = cluster;
  const constraints = [['hostname', 'MAX_PER', '2']];
  await api.deploy({ ...webServer('/web', { instances: 6 }), constraints });
  await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 6);
  await api.spread();
  const vip = (await lab.exec('h1', ['sh', '-c', `${dig} web.weir`])).stdout.trim();
  const all: readonly Client[] = ['h1', 'h2'].flatMap((host) => [vip, named].map((by) => ({ host, by })));
  const addressesOn = async (host: string) =>
    (await api.tasks('/web')).filter((task) => task.host === host).flatMap(({ ipAddresses }) => ipAddresses);

  await t.test('an instance that is killed gets no more connections a second later', async (t) => {
    const task = (await api.tasks('/web')).find(({ host }) => host === 'h3');
    const asked = askAll(cluster, all, 6);
    for (const pid of processesOfTask(task?.id ?? '')) kill(pid, 'SIGKILL');
    const killed = Date.now();
    const ip = task?.ipAddresses[0]?.ipAddress ?? '';
    await leaves(t, cluster, { host: 'h1', ips: [ip] });
    t.comment(`its name leads elsewhere ${Date.now() - killed} ms after the kill`);
    for (const [client, times] of await asked) within(t, client, times, 1_000);
  });

  await t.test('an agent that is killed leaves its containers, and virtual IPs that go on', async (t) => {
    await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 6);
    const asked = askAll(
      cluster,
      all.filter(({ host, by }) => host === 'h1' || by === vip),
      4,
    );
    await lab.kill('h2', 'agent', 'SIGKILL');
    for (const [client, times] of await asked)
      t.same(
        times.filter(({ ok }) => !ok),
        [],
        `${words(client)}: of ${times.length} connections`,
      );
    await lab.startAgain('h2', 'agent');
    t.ok(await becomes(async () => api.inForce(), 30_000));
  });

  await t.test('a machine that is cut off gets no more connections a second after one failed', async (t) => {
    await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 6);
    const ips = (await addressesOn('h3')).map(({ ipAddress }) => ipAddress);
    const asked = askAll(cluster, all, 12);
    await lab.cut('h3');
    const cut = Date.now();
    for (const host of ['h1', 'h2']) await leaves(t, cluster, { host, ips });
    t.comment(`no name leads there ${Date.now() - cut} ms after the cut`);
    t.ok(Date.now() - cut < 12_000, 'long before the master gives the machine up');
    // Each of its two instances may fail a client once, which takes as long as it waits.
    for (const [client, times] of await asked) within(t, client, times, 1_000 + 2 * patience * 1_000);
  });
});

/** Until the name has none of these addresses on a machine. */
async function leaves(
  t: Test,
  { lab }: Cluster,
  { host, ips }: { readonly host: string; readonly ips: readonly string[] },
): Promise<void> {
  const has = async () =>
    (await lab.exec(host, ['sh', '-c', `${dig} web.marathon.mesos`])).stdout.split('\n');
  t.ok(await becomes(async () => !(await has()).some((ip) => ips.includes(ip)), 20_000), `${host}: left out`);
}

async function askAll(cluster: Cluster, clients: readonly Client[], seconds: number) {
  return Promise.all(clients.map(async (client) => [client, await ask(cluster, client, seconds)] as const));
}

/** Connections one after the other, for so many seconds. */
async function ask({ lab }: Cluster, { host, by }: Client, seconds: number): Promise<readonly Asked[]> {
  const script = `end=$(($(date +%s) + ${seconds}))
    while [ $(date +%s) -lt $end ]; do
      echo "$(date +%s%3N) $(curl -s -o /dev/null -m ${patience} -w '%{http_code}' http://${by}:9000/)"
      sleep 0.02
    done`;
  const { stdout } = await lab.exec(host, ['sh', '-c', script], { timeoutMs: (seconds + 20) * 1_000 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [at = '', code] = line.split(' ');
      return { at: Number(at), ok: code === '200' };
    });
}

/** Between the first and the last failure at most so long, ms; and most succeeded. */
function within(t: Test, client: Client, asked: readonly Asked[], ms: number): void {
  const failed = asked.filter(({ ok }) => !ok).map(({ at }) => at);
  const span = (failed.at(-1) ?? 0) - (failed[0] ?? 0);
  t.comment(`${words(client)}: ${failed.length} of ${asked.length} connections failed, over ${span} ms`);
  t.ok(span <= ms, `${words(client)}: ${span} ms between the first and the last that failed`);
  // On a machine that is full a connection takes most of a second.
  t.ok(asked.length - failed.length > 5, 'others were answered');
}

function words({ host, by }: Client): string {
  return `${host}, by ${by === named ? 'name' : 'virtual IP'}`;
}
