import t, { type Test } from 'tap';
import { becomes } from '../lab/processes.ts';
import type { Api } from './api.ts';
import { type Host, openHost } from './host.ts';
import { boundFaults, type Fault, readTrace, type Strategy, tracedServer, versionOf } from './life-trace.ts';
import { type Load, startLoad } from './load.ts';
import { program, startProduct } from './product.ts';
import { resolve } from './resolve.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
// On a busy machine.
t.setTimeout(300_000);
const withinMs = 60_000;

type Case = {
  readonly what: string;
  readonly fault: Fault;
  readonly instances: number;
  readonly strategy: Strategy;
  /** Of the old version, where the deployment stops; of all, at most. */
  readonly left: number;
  readonly atMost: number;
  /** What `weir why` says. */
  readonly why: RegExp;
  readonly lastFailure?: RegExp;
};

const half = { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.25 };
const cases: readonly Case[] = [
  {
    what: 'crashes at its start',
    fault: 'crash',
    instances: 4,
    strategy: half,
    left: 2,
    atMost: 5,
    why: /the last one failed, the next try is in \d+ s/,
    lastFailure: /exit code 3|exited with 3|\b3\b/,
  },
  {
    what: 'never gets healthy',
    fault: 'deaf',
    instances: 4,
    strategy: half,
    left: 2,
    atMost: 5,
    why: /0 of 1 health checks passed/,
  },
  {
    what: 'is healthy only at first',
    fault: 'sick',
    instances: 2,
    strategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 },
    left: 1,
    atMost: 3,
    why: /health check .* failed|Task was killed since health check failed/,
    lastFailure: /Task was killed since health check failed.*500/,
  },
];

t.test(
  'a new version that fails stops at its bounds, says why, and is undone without a lost request',
  { skip },
  async (t) => {
    const host = await openHost(t, 'badver');
    const { api } = await startProduct(host);
    for (const each of cases)
      await api.must('POST', '/v2/apps', tracedServer(host, idOf(each), { ...each, host: hostOf(each) }));
    for (const each of cases) await healthy(api, each);
    await api.spread();
    const before = new Map<Case, readonly string[]>();
    for (const each of cases) before.set(each, await idsOf(api, each));
    const loads = await Promise.all(cases.map((each) => underLoad(host, each)));

    const deployments = new Map<Case, string>();
    for (const each of cases) {
      const body = { env: versionOf('two', each.fault) };
      const { deploymentId } = await api.must<{ deploymentId: string }>('PUT', `/v2/apps${idOf(each)}`, body);
      deployments.set(each, deploymentId);
    }
    for (const each of cases)
      await t.test(`one that ${each.what}`, async (t) => {
        await stops(t, host, api, each);
        const kept = (before.get(each) ?? []).filter((id) => isAlive(host, id));
        t.equal(kept.length, each.left, 'as many of the old version stay as must');
        await api.must('DELETE', `/v2/deployments/${deployments.get(each)}`);
        await healthy(api, each);
        const after = await idsOf(api, each);
        t.same(
          kept.filter((id) => !after.includes(id)),
          [],
          'those that stayed are not started anew',
        );
        const moments = readTrace(host).filter((moment) => moment.app === idOf(each));
        const bounds = { atLeast: each.left, atMost: each.atMost };
        t.same(boundFaults(moments, each.instances, bounds), [], 'the bounds held');
      });
    for (const load of loads.flat()) {
      const { sent, failures } = await load.stop();
      t.same(failures, [], `no request of ${sent} failed`);
      t.ok(sent > 50, `${sent} requests`);
    }
  },
);

/** Waits until it goes no further, and looks at what is said about that. */
async function stops(t: Test, host: Host, api: Api, each: Case): Promise<void> {
  const id = idOf(each);
  let said = '';
  const explained = await becomes(async () => {
    const { exitCode, stdout } = await host.exec([program, 'why', id]);
    said = stdout;
    return exitCode === 0 && each.why.test(said) && (each.lastFailure?.test(said) ?? true);
  }, withinMs);
  t.ok(explained, `weir why says: ${said}`);
  const { lastTaskFailure } = await api.app(id);
  if (each.lastFailure !== undefined) t.match(lastTaskFailure?.message, each.lastFailure);
  const deployments = await api.must<{ affectedApps: string[] }[]>('GET', '/v2/deployments');
  t.match(
    deployments.find(({ affectedApps }) => affectedApps.includes(id)),
    { currentStep: 1, totalSteps: 1, currentActions: [{ action: 'RestartApplication', app: id }] },
    'the deployment goes on trying',
  );
}

async function underLoad(host: Host, each: Case): Promise<readonly Load[]> {
  const name = `${each.fault}.weir`;
  const vip = await resolve(host, name);
  const targets = [
    { name: `edge of ${each.fault}`, url: 'http://127.0.0.1:8000/', host: hostOf(each) },
    { name: `VIP of ${each.fault}`, url: `http://${vip}:9000/` },
    { name, url: 'http://ADDRESS:9000/', resolve: () => resolve(host, name) },
  ];
  return targets.map((target) => startLoad(host, target, { perSecond: 8 }));
}

async function healthy(api: Api, each: Case): Promise<void> {
  await api.until(
    idOf(each),
    ({ tasksHealthy, deployments }) => tasksHealthy === each.instances && deployments.length === 0,
  );
}

async function idsOf(api: Api, each: Case): Promise<readonly string[]> {
  return (await api.tasks(idOf(each))).map(({ id }) => id).toSorted();
}

/** By its own word, not by Weir's. */
function isAlive(host: Host, task: string): boolean {
  return !readTrace(host).some((moment) => moment.task === task && moment.what === 'leaves');
}

function idOf({ fault }: Case): string {
  return `/${fault}`;
}

function hostOf({ fault }: Case): string {
  return `${fault}.example`;
}
