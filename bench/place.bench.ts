/**
 * Placements a second: 100,000 instances of 1,000 apps with constraints on 10,000 agents, decided by the scheduler's own
 * round. Counted is the time of a core, all threads of the process added: other work on the machine does not distort it.
 * A small case is first checked instance by instance against looking at every agent.
 */
import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { InstanceState } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Change } from '../core/state/store.ts';
import { versionKey } from '../core/state/tables.ts';
import { testInstance } from '../core/state/testing/instances.ts';
import { AgentView } from '../scheduler/agent-view.ts';
import { decide } from '../scheduler/decide.ts';
import { Memory } from '../scheduler/memory.ts';
import { bestByBruteForce } from '../scheduler/testing/exhaustive.ts';
import { conclude, percentile } from './numbers.ts';
import { definitions, machines, replicaWith, type Size, worldOf } from './place-cluster.ts';

const small: Size = { agents: 60, apps: 40, instances: 800 };
const large: Size = { agents: 10_000, apps: 1_000, instances: 100_000 };
const rounds = 3;
const bound = 20_000;

const checked = checkAgainstBruteForce(small);
console.log(`${checked} placements on ${small.agents} agents: each the one that looking at all agents finds`);

const runs = Array.from({ length: rounds }, () => measure(large));
for (const { perSecond, cpuSeconds, seconds } of runs)
  console.log(
    `  ${cpuSeconds.toFixed(2)} s of one core (${seconds.toFixed(2)} s on the clock): ${perSecond} placements/s`,
  );
const perSecond = runs.map((run) => run.perSecond).sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
console.log(`${perSecond} placements/s (median of ${rounds}; the bound is ${bound})`);
const { whole, part } = measureRounds(large);
console.log(
  `with all of them running, a round after one end: ${part.toFixed(1)} ms; over everything: ${whole.toFixed(0)} ms`,
);
console.log('published, on other machines and with other work in a placement:');
console.log('  Nomad, C1M, 5,000 hosts, with raft and agents: 3,750/s');
console.log('  kube-scheduler, with API server and etcd: 810/s');
conclude({
  bench: 'place',
  perSecond,
  ...large,
  checked,
  roundMs: part,
  wholeRoundMs: whole,
  bound,
  ok: perSecond >= bound,
});

function measure(size: Size) {
  const replica = replicaWith(machines(size));
  replica.apply(post(definitions(size)));
  const world = worldOf(replica);
  const [cpu, began] = [process.cpuUsage(), performance.now()];
  const { writes } = decide(world);
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  if (writes.length !== size.instances)
    throw new Error(`placed ${writes.length} instances of ${size.instances}`);
  const cpuSeconds = (user + system) / 1e6;
  return { seconds, cpuSeconds, perSecond: Math.round(writes.length / cpuSeconds) };
}

/** All instances run; then one fails. ms of the round that follows, and of one that looks at everything. */
function measureRounds(size: Size) {
  const replica = replicaWith(machines(size));
  replica.apply(post(definitions(size)));
  const memory = new Memory();
  const tell = (change: Change) => {
    replica.apply(change);
    memory.note(change);
  };
  const { writes } = decide(worldOf(replica), memory);
  tell({
    revision: 3,
    records: writes.map(({ table, key, ...rest }) => ({
      table,
      key,
      value: 'value' in rest ? rest.value : undefined,
    })),
  });
  const placements = [...replica.table('placements').values()];
  tell({
    revision: 4,
    records: placements.map((placement) =>
      report(placement, { kind: 'running', since: 0, addresses: [], health: [] }),
    ),
  });
  decide(worldOf(replica), memory);
  const parts = placements.slice(0, 20).map((placement, index) => {
    tell({
      revision: 5 + index,
      records: [report(placement, { kind: 'ended', at: 0, how: 'failed', reason: 'crashed' })],
    });
    const world = worldOf(replica);
    return timed(() => decide(world, memory));
  });
  return { part: percentile(parts, 0.5), whole: timed(() => decide(worldOf(replica))) };
}

function report(placement: Placement, state: InstanceState) {
  return { table: 'instances' as const, key: placement.instanceId, value: testInstance(placement, state) };
}

function timed(work: () => unknown): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}

function checkAgainstBruteForce(size: Size): number {
  const agents = machines(size);
  const apps = definitions(size);
  const replica = replicaWith(agents);
  replica.apply(post(apps));
  const placed = decide(worldOf(replica)).writes.flatMap((write) =>
    write.kind === 'put' && write.table === 'placements' ? [write.value as Placement] : [],
  );
  const views = new Map(agents.map((agent) => [agent.id, new AgentView(agent)]));
  for (const app of apps)
    follow(
      app,
      placed.filter(({ appId }) => appId === app.id),
      views,
    );
  return placed.length;
}

/** Goes through an app's placements in the order they were decided. */
function follow(app: App, placed: readonly Placement[], views: ReadonlyMap<string, AgentView>): void {
  const peers: Agent[] = [];
  for (let n = 0; n < app.instances; n++) {
    const best = bestByBruteForce(app, peers, [...views.values()]);
    if (best?.agent.id !== placed[n]?.agentId)
      throw new Error(
        `instance ${n} of ${app.id} is on ${placed[n]?.agentId}, the best is ${best?.agent.id}`,
      );
    if (best === undefined) return;
    best.occupy(app, placed[n]!);
    peers.push(best.agent);
  }
}

function post(apps: readonly App[]): Change {
  return {
    revision: 2,
    records: apps.flatMap((app) => [
      { table: 'apps', key: app.id, value: app },
      { table: 'versions', key: versionKey(app.id, app.version), value: app },
    ]),
  };
}
