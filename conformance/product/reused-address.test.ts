import { kill } from 'node:process';
import t, { type Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { webServer } from './definitions.ts';
import { processesOfTask } from './machine.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
t.setTimeout(300_000);

/** Five addresses for the containers of each machine, all in use: what one instance leaves another has at once. */
const network = { name: 'small', cidr: '100.66.0.0/27', agentPrefix: 29, backend: 'host-gw' };
const rounds = 15;
const dig = 'dig @127.0.0.1 -p 10053 +short +tries=1 +time=1';
const curl = `curl -s -m 1 --noproxy '*'`;

/** How clients find the app `/first`, one shell line each; what they get says who answered. */
const ways = {
  vip: `${curl} http://$VIP:9000/`,
  name: `${curl} http://$(${dig} first.marathon.mesos | shuf -n 1):9000/`,
  'SRV record': `set -- $(${dig} SRV _http._first._tcp.marathon.mesos | shuf -n 1); ${curl} http://$(${dig} $4):$3/`,
  edge: `${curl} -H 'Host: first.example' http://127.0.0.1:8000/`,
} as const;

/** Who serves at the address now, whose it is called, and who serves there afterwards. */
const reverse = `for n in 2 3 4 5 6; do
  a=$SHARE.$((BASE + n)); one=$(${curl} http://$a:9000/); called=$(${dig} -x $a | tr '\\n' ' '); two=$(${curl} http://$a:9000/)
  echo "$a|$one|$called|$two"
done`;

t.test(
  'nothing that leads to an app leads to who has the address of its instance now',
  { skip },
  async (t) => {
    const cluster = await startCluster(t, 'reuse', {
      agents: [
        ['--vip', 'nftables', '--edge'],
        ['--vip', 'ebpf'],
      ],
    });
    const { api, lab } = cluster;
    await api.must('POST', '/v1/networks', network);
    const onSecond = { constraints: [['hostname', 'LIKE', 'h2']], backoffSeconds: 0 };
    for (const [name, instances, host] of [
      ['first', 1, 'first.example'],
      ['other', 4, 'other.example'],
    ] as const)
      await api.deploy({
        ...webServer(`/${name}`, { instances, greeting: name, network: 'small', host }),
        ...onSecond,
      });
    const vip = (await lab.exec('h1', ['sh', '-c', `${dig} first.weir`])).stdout.trim();
    const [task] = await api.tasks('/first');
    const owners = new Map<string, Set<string>>();
    const seen = async () => {
      for (const app of ['first', 'other'])
        for (const { ipAddresses } of await api.tasks(`/${app}`))
          for (const { ipAddress } of ipAddresses)
            owners.set(ipAddress, (owners.get(ipAddress) ?? new Set()).add(app));
    };
    const share = task?.ipAddresses[0]?.ipAddress ?? '';
    const asked = askAll(cluster, vip, share);
    for (let round = 0; round < rounds; round++) {
      await seen();
      const killed = Date.now();
      await Promise.all(['/first', '/other'].map((app) => lose(cluster, app)));
      t.ok(
        Date.now() - killed < 15_000,
        `round ${round}: healthy again ${Date.now() - killed} ms after both were killed`,
      );
      await seen();
    }
    const reused = [...owners].filter(([, apps]) => apps.size > 1).map(([ip]) => ip);
    t.ok(reused.length > 0, `addresses that both had: ${reused.join(', ')}`);
    await lab.exec('h1', ['touch', `${lab.hosts[0]?.dir}/over`]);
    for (const { host, way, lines } of await asked)
      (way === 'reverse name' ? judgeReverse : judge)(t, `${way} on ${host}`, lines);
  },
);

/** One instance of the app is killed; resolves when another is healthy in its place. */
async function lose({ api }: Cluster, app: string): Promise<void> {
  const [task] = await api.tasks(app);
  for (const pid of processesOfTask(task?.id ?? '')) kill(pid, 'SIGKILL');
  await becomes(async () => !(await api.tasks(app)).some(({ id }) => id === task?.id), 20_000);
  await api.until(app, ({ tasksHealthy, instances }) => tasksHealthy === instances);
}

/** By each way from each machine, until the file `over` is there, and three times more. */
async function askAll({ lab }: Cluster, vip: string, address: string) {
  const bytes = address.split('.');
  const last = Number(bytes.pop());
  const over = `${lab.hosts[0]?.dir}/over`;
  const set = `VIP=${vip} SHARE=${bytes.join('.')} BASE=${last - (last % 8)}`;
  const run = async (host: string, way: string, line: string) => {
    const last = `if [ -e ${over} ]; then [ $left -gt 0 ] || exit 0; left=$((left - 1)); fi`;
    const script = `${set}; left=3; for turn in $(seq 1000); do ${last}; ( ${line} ); sleep 0.2; done`;
    const { stdout } = await lab.exec(host, ['bash', '-c', script], { timeoutMs: 200_000 });
    return { host, way, lines: stdout.split('\n').filter((one) => one !== '') };
  };
  const lines = Object.entries({ ...ways, 'reverse name': reverse });
  return Promise.all(
    ['h1', 'h2'].flatMap((host) =>
      lines.filter(([way]) => way !== 'edge' || host === 'h1').map(([way, line]) => run(host, way, line)),
    ),
  );
}

function judge(t: Test, way: string, lines: readonly string[]): void {
  const wrong = lines.filter((line) => line.endsWith(' other'));
  t.ok(
    lines.some((line) => line.endsWith(' first')),
    `${way}: is answered`,
  );
  t.same(wrong, [], `${way}: of ${lines.length} answers`);
}

/** Only where the same instance served before and after the question is it known what the answer should be. */
function judgeReverse(t: Test, way: string, lines: readonly string[]): void {
  const served = lines.map((line) => line.split('|')).filter(([, one, , two]) => one !== '' && one === two);
  const wrong = served.filter(([, one = '', called = '']) => {
    const [mine, others] = one.endsWith(' first') ? ['first', 'other'] : ['other', 'first'];
    return called.includes(others) && !called.includes(mine);
  });
  t.ok(
    served.some(([, , called]) => called?.includes('other')),
    `${way}: is answered`,
  );
  t.same(wrong, [], `${way}: of ${served.length} answers`);
}
