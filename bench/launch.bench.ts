/**
 * From POST to running: a master with its SQLite store in one process, 5,000 simulated agents that speak the agents'
 * protocol over HTTP in another. An instance counts as running when the master has acknowledged the report that it runs,
 * so it is on disk and in the API.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { insideOwnNetwork } from './inside.ts';
import { AgentsProcess, MasterProcess } from './master.ts';
import { conclude } from './numbers.ts';
import { get, send, settled } from './weir.ts';

const agentCount = Number(process.argv[2] ?? 5_000);
/** Agents with consumers of the Directory; each of them is told of every endpoint. */
const consuming = 20;
const single = 500;
const many = { apps: Number(process.argv[3] ?? 1_000), instances: 20 };
/** Fewer than the deployments that may be on their way at once. */
const singles = 80;
const bounds = { singleSeconds: 2, perSecond: 4_000 };
/** POSTs under way at the same time. */
const atOnce = 16;

await insideOwnNetwork(import.meta.url, async (folder) => {
  const master = new MasterProcess(folder);
  await master.answers();
  const agents = new AgentsProcess();
  try {
    const began = performance.now();
    await agents.arrive(agentCount, consuming);
    console.log(`${agentCount} agents connected in ${seconds(began).toFixed(1)} s`);
    await delay(2_000);
    const idle = await idleCpu(master);
    console.log(`idle, a heartbeat of each a second: ${(idle * 100).toFixed(0)} % of a core of the master`);
    const one = await launch({ master, agents }, [post(app('/one', single))]);
    console.log(
      `one app of ${single} instances: ${one.seconds.toFixed(2)} s (bound ${bounds.singleSeconds} s)`,
    );
    const apps = Array.from({ length: many.apps }, (_, n) => app(`/many/app-${n}`, many.instances));
    const total = many.apps * many.instances;
    const all = await launch({ master, agents }, [
      { path: '/v2/groups', body: { id: '/many', apps }, instances: total },
    ]);
    const perSecond = Math.round(total / all.seconds);
    console.log(
      `a group of ${many.apps} apps of ${many.instances} instances: ${all.seconds.toFixed(2)} s, ${perSecond} instances/s (bound ${bounds.perSecond}/s)`,
    );
    console.log(
      `  answered after ${all.posted.toFixed(2)} s; ${Math.round(total / all.cpu)} instances for each second of a core of the master`,
    );
    const posts = Array.from({ length: singles }, (_, n) => post(app(`/single/app-${n}`, 5)));
    const each = await launch({ master, agents }, posts);
    console.log(
      `${singles} POSTs of 5 instances, ${atOnce} at a time: ${each.seconds.toFixed(2)} s, ${((each.posted / singles) * 1_000).toFixed(1)} ms a POST`,
    );
    const before = performance.now();
    await settled();
    console.log(`  deployments done ${seconds(before).toFixed(2)} s later`);
    await checkRunning(total + single + singles * 5);
    const memory = master.memory;
    console.log(`  master: ${memory.rss.toFixed(0)} MB resident, at most ${memory.most.toFixed(0)} MB`);
    console.log(
      'published, on other machines and set-ups: Marathon 0.15, 189 agents, one app of 500: 14.2 s',
    );
    const ok = one.seconds <= bounds.singleSeconds && perSecond >= bounds.perSecond;
    conclude({
      bench: 'launch',
      agents: agentCount,
      consuming,
      one,
      all,
      perSecond,
      idle,
      ...memory,
      bounds,
      ok,
    });
  } finally {
    agents.stop();
    await master.stop();
  }
});

type Post = { readonly path: string; readonly body: unknown; readonly instances: number };

type Cluster = { readonly master: MasterProcess; readonly agents: AgentsProcess };

/** Seconds on the clock, and of a core of the master, from the first POST until the last instance runs. */
async function launch({ master, agents }: Cluster, posts: readonly Post[]) {
  const wanted = posts.reduce((sum, { instances }) => sum + instances, 0) + (await agents.counts()).running;
  const [began, cpu] = [performance.now(), master.cpu];
  const waiting = [...posts];
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      await send('POST', next.path, next.body);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const posted = seconds(began);
  while ((await agents.counts()).running < wanted) await delay(5);
  return { posted, seconds: seconds(began), cpu: master.cpu - cpu };
}

async function idleCpu(master: MasterProcess): Promise<number> {
  const [began, cpu] = [performance.now(), master.cpu];
  await delay(3_000);
  return (master.cpu - cpu) / seconds(began);
}

async function checkRunning(wanted: number): Promise<void> {
  const { apps } = await get('/v2/apps?embed=apps.counts');
  const running = apps.reduce(
    (sum: number, { tasksRunning }: { tasksRunning: number }) => sum + tasksRunning,
    0,
  );
  if (running !== wanted) throw new Error(`the API says that ${running} run, not ${wanted}`);
}

function post(one: { instances: number }): Post {
  return { path: '/v2/apps', body: one, instances: one.instances };
}

function app(id: string, instances: number) {
  return { id, cmd: 'serve', instances, cpus: 0.1, mem: 32, portDefinitions: [{ port: 0 }] };
}

function seconds(began: number): number {
  return (performance.now() - began) / 1_000;
}
