import { kill } from 'node:process';
import t, { type Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { webServer } from './definitions.ts';
import { processesOfTask } from './machine.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
/** A client gives up one connection after this long, s. */
const patience = 1;

type Asked = { readonly at: number; readonly ok: boolean };

t.test(
  'virtual IPs leave what is killed or cut off, and nothing of them leaves with an agent',
  { skip },
  async (t) => {
    const cluster = await startCluster(t, 'vips', { agents: [[], [], []] });
    const { api, lab } = cluster;
    const constraints = [['hostname', 'MAX_PER', '2']];
    await api.deploy({ ...webServer('/web', { instances: 6 }), constraints });
    await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 6);
    await api.spread();
    const { stdout: address } = await lab.exec('h1', [
      'dig',
      '@127.0.0.1',
      '-p',
      '10053',
      '+short',
      'web.weir',
    ]);
    const url = `http://${address.trim()}:9000/`;
    const on = async (host: string) => (await api.tasks('/web')).find((task) => task.host === host);

    await t.test(
      'an instance that is killed gets no more connections a second after the first that failed',
      async (t) => {
        const task = await on('h2');
        const asked = ask(cluster, url, 6);
        for (const pid of processesOfTask(task?.id ?? '')) kill(pid, 'SIGKILL');
        const killed = performance.now();
        const ip = task?.ipAddresses[0]?.ipAddress ?? '';
        const named = async () =>
          (
            await lab.exec('h1', ['dig', '@127.0.0.1', '-p', '10053', '+short', 'web.marathon.mesos'])
          ).stdout.split('\n');
        t.ok(await becomes(async () => !(await named()).includes(ip), 5_000));
        t.comment(`its name leads elsewhere ${Math.round(performance.now() - killed)} ms after the kill`);
        within(t, await asked, 1_000);
      },
    );

    await t.test('an agent that is killed leaves its virtual IPs and containers serving', async (t) => {
      const asked = ask(cluster, url, 4);
      await lab.kill('h1', 'agent', 'SIGKILL');
      const failed = (await asked).filter(({ ok }) => !ok);
      t.same(failed, [], `of ${(await asked).length} connections`);
      await lab.startAgain('h1', 'agent');
      t.ok(await becomes(async () => api.inForce(), 30_000));
    });

    await t.test(
      'a machine that is cut off gets no more connections a second after the first that failed',
      async (t) => {
        await api.until('/web', ({ tasksHealthy }) => tasksHealthy === 6);
        const asked = ask(cluster, url, 12);
        await lab.cut('h3');
        within(t, await asked, 1_000 + 2 * patience * 1_000);
      },
    );
  },
);

/** Connections from a process of h1, one after the other, for so many seconds. */
async function ask({ lab }: Cluster, url: string, seconds: number): Promise<readonly Asked[]> {
  const script = `end=$(($(date +%s) + ${seconds}))
    while [ $(date +%s) -lt $end ]; do
      echo "$(date +%s%3N) $(curl -s -o /dev/null -m ${patience} -w '%{http_code}' ${url})"
    done`;
  const { stdout } = await lab.exec('h1', ['sh', '-c', script], { timeoutMs: (seconds + 20) * 1_000 });
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [at = '', code] = line.split(' ');
      return { at: Number(at), ok: code === '200' };
    });
}

/** Between the first and the last failure at most so long, ms; and most succeeded. */
function within(t: Test, asked: readonly Asked[], ms: number): void {
  const failed = asked.filter(({ ok }) => !ok).map(({ at }) => at);
  const span = (failed.at(-1) ?? 0) - (failed[0] ?? 0);
  t.comment(`${failed.length} of ${asked.length} connections failed, over ${span} ms`);
  t.ok(span <= ms, `${span} ms between the first and the last that failed`);
  t.ok(asked.length - failed.length > 20, 'others were answered');
}
