/**
 * A master that starts with 100,000 instances in its SQLite store: how long until it serves the API and 5,000 agents, and
 * how much memory it takes then. The store is filled by hand, as a master leaves it.
 */
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { versionKey } from '../core/state/tables.ts';
import { testApp } from '../core/state/testing/apps.ts';
import { fleet } from './agents.ts';
import { insideOwnNetwork } from './inside.ts';
import { AgentsProcess, MasterProcess } from './master.ts';
import { conclude } from './numbers.ts';
import { api, until } from './weir.ts';

const size = { agents: 5_000, apps: 1_000, instances: 100_000, consuming: 2 };
const bounds = { servingSeconds: 5, megabytes: 500 };

await insideOwnNetwork(import.meta.url, async (folder) => {
  const empty = new MasterProcess(folder);
  await empty.answers();
  await empty.stop();
  fill(`${folder}/master/weir.sqlite`);
  const began = performance.now();
  const master = new MasterProcess(folder);
  const agents = new AgentsProcess();
  try {
    await until(async () => (await countRunning()) === size.instances);
    const serving = seconds(began);
    console.log(
      `from exec to GET /v2/apps with ${size.instances} running: ${serving.toFixed(2)} s (bound ${bounds.servingSeconds} s), ${master.cpu.toFixed(2)} s of a core`,
    );
    const [connecting, cpu] = [performance.now(), master.cpu];
    await agents.arrive(size.agents, size.consuming);
    const connected = seconds(connecting);
    console.log(
      `${size.agents} agents served with their assignments ${connected.toFixed(2)} s after they began to connect, ${(master.cpu - cpu).toFixed(2)} s of a core`,
    );
    await delay(5_000);
    const { rss, most } = master.memory;
    console.log(
      `master: ${rss.toFixed(0)} MB resident, at most ${most.toFixed(0)} MB (bound ${bounds.megabytes} MB), proportional ${master.proportional.toFixed(0)} MB`,
    );
    const ok = serving <= bounds.servingSeconds && rss <= bounds.megabytes;
    conclude({ bench: 'restart', ...size, serving, connected, rss, most, bounds, ok });
  } finally {
    agents.stop();
    await master.stop();
  }
});

async function countRunning(): Promise<number> {
  const response = await fetch(`${api}/v2/apps`);
  const { apps } = (await response.json()) as { apps: readonly { tasksRunning: number }[] };
  return apps.reduce((sum, { tasksRunning }) => sum + tasksRunning, 0);
}

/** 1,000 apps of 100 instances, all running, spread over the agents. */
function fill(path: string): void {
  const database = new DatabaseSync(path);
  const insert = database.prepare(
    'INSERT OR REPLACE INTO records (tbl, key, value, version) VALUES (?, ?, ?, 1)',
  );
  const put = (table: string, key: string, value: unknown) => insert.run(table, key, JSON.stringify(value));
  const at = '2026-01-01T00:00:00.000Z';
  database.exec('BEGIN');
  for (const agent of fleet(size.agents, size.consuming)) put('agents', agent.id, agent);
  for (let n = 0; n < size.apps; n++) {
    const app = testApp(`/shop/app-${n}`, {
      instances: size.instances / size.apps,
      cpus: 0.1,
      labels: { HAPROXY_GROUP: 'external', team: 'shop' },
      portDefinitions: [{ port: 10_000 + n, protocol: 'tcp', name: 'http', labels: {} }],
      version: at,
      versionInfo: { lastScalingAt: at, lastConfigChangeAt: at },
    });
    put('apps', app.id, app);
    put('versions', versionKey(app.id, at), app);
    put('addresses', `weir/app-${n}.shop`, {
      name: `weir/app-${n}.shop`,
      address: `100.100.${n >> 8}.${n & 255}`,
    });
    for (let i = 0; i < app.instances; i++)
      fillInstance(put, app.id, { number: n * app.instances + i, version: at });
  }
  database.exec('COMMIT');
  database.close();
}

type Put = (table: string, key: string, value: unknown) => void;

function fillInstance(
  put: Put,
  appId: string,
  { number, version }: { number: number; version: string },
): void {
  const hex = number.toString(16).padStart(12, '0');
  const instanceId = `${appId.slice(1).replaceAll('/', '_')}.instance-00000000-0000-4000-8000-${hex}`;
  const agentId = `n${number % size.agents}`;
  const now = Date.now();
  const common = { instanceId, appId, appVersion: version, agentId, attempt: 1 };
  const port = 31_000 + Math.floor(number / size.agents);
  put('placements', instanceId, {
    ...common,
    hostPorts: [port],
    containerPorts: [null],
    goal: 'run',
    createdAt: now,
  });
  const state = { kind: 'running', since: now, addresses: [], health: [] };
  put('instances', instanceId, { ...common, stagedAt: now, state });
}

function seconds(began: number): number {
  return (performance.now() - began) / 1_000;
}
