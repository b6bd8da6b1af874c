/**
 * What clients that poll and listen see of a master with 1,000 apps of 5 instances: how long lists take, and how late
 * events come while a group of all of them is changed. The reader and the agents are other processes.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { insideOwnNetwork } from './inside.ts';
import { AgentsProcess, MasterProcess } from './master.ts';
import { conclude, milliseconds, percentile } from './numbers.ts';
import { api, send, settled } from './weir.ts';

const size = { agents: 100, apps: 1_000, instances: 5 };
const repeats = 100;
const lists = [
  { path: '/v2/apps', boundMs: 100 },
  { path: '/v2/apps?embed=apps.tasks&embed=apps.counts&embed=apps.deployments', boundMs: 100 },
  { path: '/v2/groups', boundMs: 200 },
  {
    path: '/v2/groups?embed=group.groups&embed=group.apps&embed=group.apps.tasks&embed=group.apps.counts',
    boundMs: 200,
  },
];
const eventBoundMs = 50;

await insideOwnNetwork(import.meta.url, async (folder) => {
  const master = new MasterProcess(folder);
  await master.answers();
  const agents = new AgentsProcess();
  try {
    await agents.arrive(size.agents, 10);
    await send('PUT', '/v2/groups', group('first'));
    await settled();
    const measured = [];
    for (const list of lists) measured.push(await measureList(list, master));
    const runs = [];
    for (const name of ['second', 'third', 'fourth']) runs.push(await measureEvents(name));
    const eventP99 = runs.map(({ p99 }) => p99).sort((a, b) => a - b)[1] ?? Number.NaN;
    console.log(`events: p99 ${milliseconds(eventP99)} (median of ${runs.length}; bound ${eventBoundMs} ms)`);
    const ok = measured.every(({ p99, boundMs }) => p99 <= boundMs) && eventP99 <= eventBoundMs;
    conclude({
      bench: 'lists',
      ...size,
      lists: measured,
      runs,
      eventP99,
      eventBoundMs,
      memory: master.memory,
      ok,
    });
  } finally {
    agents.stop();
    await master.stop();
  }
});

async function measureList({ path, boundMs }: { path: string; boundMs: number }, master: MasterProcess) {
  const times: number[] = [];
  let bytes = 0;
  const cpu = master.cpu;
  for (let turn = 0; turn < repeats; turn++) {
    const began = performance.now();
    bytes = (await (await fetch(api + path)).arrayBuffer()).byteLength;
    times.push(performance.now() - began);
  }
  const [p50, p99] = [percentile(times, 0.5), percentile(times, 0.99)];
  const cpuMs = ((master.cpu - cpu) * 1_000) / repeats;
  console.log(
    `GET ${path}: p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)} (bound ${boundMs} ms), ${milliseconds(cpuMs)} of a core, ${(bytes / 1e6).toFixed(1)} MB`,
  );
  return { path, boundMs, p50, p99, cpuMs, bytes };
}

/** Every app gets another label: a rolling replacement of all. The lag is from an event's timestamp to its arrival. */
async function measureEvents(name: string) {
  const lags: number[] = [];
  const stop = new AbortController();
  const listening = listen(lags, stop.signal);
  const pings = ping(stop.signal);
  await delay(200);
  const began = performance.now();
  await send('PUT', '/v2/groups?force=true', group(name));
  const answered = performance.now() - began;
  await settled();
  const done = performance.now() - began;
  await delay(200);
  stop.abort();
  await listening;
  const pinged = await pings;
  const [p50, p99, most] = [percentile(lags, 0.5), percentile(lags, 0.99), Math.max(...lags)];
  console.log(
    `group PUT of ${size.apps} apps: answered after ${milliseconds(answered)}, replaced after ${(done / 1_000).toFixed(1)} s; ${lags.length} events, lag p50 ${milliseconds(p50)}, p99 ${milliseconds(p99)}, most ${milliseconds(most)}; a ping meanwhile p99 ${milliseconds(percentile(pinged, 0.99))}, most ${milliseconds(Math.max(...pinged))}`,
  );
  return { answered, done, events: lags.length, p50, p99, most, ping: percentile(pinged, 0.99) };
}

async function listen(lags: number[], signal: AbortSignal): Promise<void> {
  const response = await fetch(`${api}/v2/events`, { headers: { accept: 'text/event-stream' }, signal });
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of response.body ?? []) {
      const now = Date.now();
      const frames = (rest + decoder.decode(chunk, { stream: true })).split('\r\n\r\n');
      rest = frames.pop() ?? '';
      for (const frame of frames) {
        const at = frame.lastIndexOf('"timestamp":"');
        if (at !== -1) lags.push(now - Date.parse(frame.slice(at + 13, at + 37)));
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** How long the smallest request takes: how long the master's loop is held up. */
async function ping(signal: AbortSignal): Promise<readonly number[]> {
  const times: number[] = [];
  while (!signal.aborted) {
    const began = performance.now();
    await (await fetch(`${api}/ping`)).text();
    times.push(performance.now() - began);
    await delay(10);
  }
  return times;
}

function group(name: string) {
  const apps = Array.from({ length: size.apps }, (_, n) => ({
    id: `app-${n}`,
    cmd: 'serve',
    instances: size.instances,
    cpus: 0.1,
    mem: 32,
    env: { NAME: name },
    labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: `app-${n}.example.org`, NAME: name },
    portDefinitions: [{ port: 0, name: 'http', labels: { VIP_0: `/app-${n}:80` } }],
    healthChecks: [{ protocol: 'MESOS_HTTP', path: '/', portIndex: 0 }],
  }));
  return { id: '/', apps: [], groups: [{ id: 'shop', apps }] };
}
