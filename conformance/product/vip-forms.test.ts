import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import t from 'tap';
import { netnsPath } from '../lab/names.ts';
import { becomes } from '../lab/processes.ts';
import { type Cluster, startCluster } from './cluster.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
t.setTimeout(240_000);

/** Answers each line of a connection, and each datagram, with its instance in front. */
const server = `exec perl -MIO::Socket::INET -MIO::Select -e '
$SIG{CHLD} = "IGNORE";
$t = IO::Socket::INET->new(LocalPort => 9000, Listen => 64, ReuseAddr => 1) or die "cannot listen: $!";
$u = IO::Socket::INET->new(LocalPort => 9000, Proto => "udp") or die "cannot listen: $!";
$s = IO::Select->new($t, $u);
while (@r = $s->can_read) { for $r (@r) {
  if ($r == $u) { $u->recv($d, 1500); $u->send("$ENV{MESOS_TASK_ID} $d"); next }
  $c = $t->accept or next;
  if (fork == 0) { while (<$c>) { print $c "$ENV{MESOS_TASK_ID} $_" } exit }
  close $c
} }'`;

const zone = 'marathon.l4lb.thisdcos.directory';
/** Two names, an address of the range, one outside of it, and the name that every app has. */
const labels = { VIP_0: '/web:80', vip_1: 'second:81', VIP_2: '11.9.8.7:82', VIP_3: '100.101.9.9:83' };
const places: readonly (readonly [name: string, port: number])[] = [
  [`web.${zone}`, 80],
  [`second.${zone}`, 81],
  ['11.9.8.7', 82],
  ['100.101.9.9', 83],
  ['web.weir', 9000],
];
const app = {
  id: '/web',
  cmd: server,
  instances: 4,
  cpus: 0.05,
  mem: 32,
  networks: [{ mode: 'container', name: 'weir' }],
  container: {
    type: 'MESOS',
    portMappings: [{ containerPort: 9000, protocol: 'tcp,udp', name: 'echo', labels }],
  },
  healthChecks: [{ protocol: 'MESOS_TCP', portIndex: 0, intervalSeconds: 1, gracePeriodSeconds: 30 }],
  constraints: [['hostname', 'MAX_PER', '2']],
};

type Node = { node: string; revision: number; status: { services: { open: Record<string, number> }[] } };
type Shown = { revision: number; nodes: readonly Node[]; vips: readonly { backend: { weight: number }[] }[] };

t.test(
  'all forms of a virtual IP at once, in DC/OS’s range, under restarts of the agents',
  { skip },
  async (t) => {
    const range = ['--vip-range', 'dcos'];
    const cluster = await startCluster(t, 'forms', {
      agents: ['nftables', 'ebpf'].map((kind) => ['--vip', kind, ...range]),
      masterFlags: range,
    });
    const { api, lab, weir } = cluster;
    await api.deploy(app);
    await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 4);
    await api.spread();
    const addresses = await addressesOf(cluster);
    t.equal(addresses[0], '11.225.36.193', 'where minuteman’s hash puts web.marathon (vip.md §4)');
    const reached = async (when: string) => {
      for (const host of ['h1', 'h2'])
        for (const protocol of ['tcp', 'udp'])
          for (const [index, [name, port]] of places.entries())
            t.match(
              await ask(cluster, host, `${protocol}/${addresses[index]}/${port}`),
              /^web\.\S+ hi$/,
              `${when}: ${protocol} ${name}:${port} from ${host}`,
            );
    };
    await reached('at first');

    await t.test(
      'they are listed with backends, weights, connections and the revision of each machine',
      async (t) => {
        const held = await hold(cluster, 'h1', `${addresses[0]}/80`);
        const shown = await api.must<Shown>('GET', '/v1/vips/web');
        t.equal(shown.vips.length, 10);
        for (const { backend } of shown.vips)
          t.same(
            backend.map(({ weight }) => weight),
            [1, 1, 1, 1],
          );
        t.same(
          shown.nodes.map(({ node, revision }) => [node, revision]).toSorted(),
          ['h1', 'h2'].map((node) => [node, shown.revision]),
        );
        const open = shown.nodes
          .find(({ node }) => node === 'h1')
          ?.status.services.flatMap((one) => Object.values(one.open));
        t.ok(
          open?.some((count) => count > 0),
          'the connection that is open',
        );
        t.match((await weir('vip', 'list')).stdout, new RegExp(`web\\.${zone}:80 .*4/4`));
        t.match((await weir('vip', 'show', `web.${zone}`)).stdout, /OPEN[\s\S]*TAKEN/);
        t.match((await weir('vip', 'why', '11.9.8.7:82')).stdout, /leads to 4 backends/);
        await held.end();
      },
    );

    for (const signal of ['SIGTERM', 'SIGKILL'] as const)
      await t.test(
        `no connection through them is lost when the agents end by ${signal} and begin again`,
        async (t) => {
          const all = await Promise.all(
            ['h1', 'h2'].flatMap((host) =>
              places.map(([, port], index) => hold(cluster, host, `${addresses[index]}/${port}`)),
            ),
          );
          const asked = async (when: string) => {
            for (const one of all) t.equal(await one.ask(when), one.first, `${when}: ${one.place}`);
          };
          for (const host of ['h1', 'h2']) await lab.kill(host, 'agent', signal);
          await asked('while they are away');
          for (const host of ['h1', 'h2']) await lab.startAgain(host, 'agent');
          t.ok(await becomes(() => api.inForce(), 60_000), 'they are back');
          await asked('after');
          for (const one of all) await one.end();
        },
      );
    await reached('at last');
  },
);

async function addressesOf({ lab }: Cluster): Promise<readonly string[]> {
  return Promise.all(
    places.map(async ([name]) => {
      if (/^[\d.]+$/.test(name)) return name;
      return (await lab.exec('h2', ['dig', '@127.0.0.1', '-p', '10053', '+short', name])).stdout.trim();
    }),
  );
}

/** One line to `tcp/ADDRESS/PORT` or `udp/…`, and what comes back; a datagram is read as a whole. */
async function ask({ lab }: Cluster, host: string, place: string): Promise<string> {
  const script = `exec 3<>/dev/${place} && echo hi >&3 && timeout 5 dd bs=1500 count=1 status=none <&3`;
  return (await lab.exec(host, ['bash', '-c', script])).stdout.trim();
}

/** A connection that stays open; `first`: who answered its first line. `ask` gives who answers now. */
async function hold({ lab }: Cluster, host: string, place: string) {
  const script = `exec 3<>/dev/tcp/${place}; while read -r line; do echo "$line" >&3; read -t 5 -r answer <&3 || answer=nobody; echo "$answer"; done`;
  const args = [`--net=${netnsPath(lab.host(host).netns)}`, '--', 'bash', '-c', script];
  const child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ask = async (text: string): Promise<string> => {
    child.stdin.write(`${text}\n`);
    return String((await lines.next()).value).split(' ')[0] ?? '';
  };
  return {
    place: `${place} from ${host}`,
    first: await ask('first'),
    ask,
    async end() {
      child.stdin.end();
      await once(child, 'close');
    },
  };
}
