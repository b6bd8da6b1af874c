/**
 * From the POST of an app to its first 200 through the edge, by step; against the same program started by hand.
 * What the platform adds is the difference.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { insideOwnNetwork } from './inside.ts';
import { conclude, milliseconds, percentile } from './numbers.ts';
import { api, clone, edge, get, send, settled, startWeir, until } from './weir.ts';

const runs = Number(process.argv[2] ?? 20);
const server = fileURLToPath(new URL('./server.ts', import.meta.url));
const boundMs = 250;

type Steps = {
  readonly accepted: number;
  readonly placed: number;
  readonly network: number;
  readonly runtime: number;
  readonly reachable: number;
  readonly total: number;
};

await insideOwnNetwork(import.meta.url, async (folder) => {
  const weir = await startWeir(folder);
  try {
    const direct: number[] = [];
    const deployed: Steps[] = [];
    for (let run = 0; run < runs + 2; run++) {
      const [byHand, byWeir] = [await startByHand(), await deploy(run)];
      // The first two warm caches of the machine and are not counted.
      if (run < 2) continue;
      direct.push(byHand);
      deployed.push(byWeir);
    }
    report(direct, deployed);
  } finally {
    await weir.stop();
  }
});

/** The program's own start-up time: spawn to first 200, connected directly. */
async function startByHand(): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, [server], {
    env: { ...process.env, PORT0: '9999', WEIR_ADDRESS: '127.0.0.1' },
    stdio: 'ignore',
  });
  await until(() => answers('127.0.0.1', 9999, 'direct'));
  const took = performance.now() - started;
  child.kill('SIGKILL');
  await once(child, 'exit');
  return took;
}

async function deploy(run: number): Promise<Steps> {
  const id = `/bench/run-${run}`;
  const host = `run-${run}.example`;
  const seen = await followEvents(id);
  const started = performance.now();
  await send('POST', '/v2/apps', {
    id,
    cmd: `exec ${process.execPath} ${server}`,
    cpus: 1,
    mem: 128,
    networks: [{ mode: 'container', name: 'weir' }],
    container: { type: 'MESOS', volumes: [clone], portMappings: [{ containerPort: 8080 }] },
    labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: host },
  });
  const accepted = performance.now();
  await until(() => answers(edge.host, edge.port, host));
  const reachable = performance.now();
  seen.stop();
  const at = (state: string) => seen.times.get(state) ?? reachable;
  await send('DELETE', `/v2/apps${id}`);
  await settled();
  await until(async () => (await get('/v1/nodes')).nodes[0].instances === 0);
  return {
    accepted: accepted - started,
    placed: at('TASK_STAGING') - accepted,
    network: at('TASK_STARTING') - at('TASK_STAGING'),
    runtime: at('TASK_RUNNING') - at('TASK_STARTING'),
    reachable: reachable - at('TASK_RUNNING'),
    total: reachable - started,
  };
}

/** When each state of the app's instance was announced. */
async function followEvents(id: string): Promise<{ times: Map<string, number>; stop(): void }> {
  const times = new Map<string, number>();
  const end = new AbortController();
  const response = await fetch(`${api}/v2/events?event_type=status_update_event`, {
    headers: { accept: 'text/event-stream' },
    signal: end.signal,
  });
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      for (const line of decoder.decode(chunk).split('\r\n')) {
        if (!line.startsWith('data: ')) continue;
        const event = JSON.parse(line.slice(6)) as { appId: string; taskStatus: string };
        if (event.appId === id && !times.has(event.taskStatus))
          times.set(event.taskStatus, performance.now());
      }
    }
  })();
  reading.catch(() => {});
  return { times, stop: () => end.abort() };
}

function answers(host: string, port: number, name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ host, port, headers: { host: name }, timeout: 1_000 }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
    });
    call.on('error', () => resolve(false));
    call.end();
  });
}

function report(direct: readonly number[], deployed: readonly Steps[]): void {
  const p50 = (pick: (steps: Steps) => number) => percentile(deployed.map(pick), 0.5);
  const own = percentile(direct, 0.5);
  const total = p50((steps) => steps.total);
  console.log(`POST to first 200 through the edge, ${deployed.length} runs, medians:`);
  console.log(`  accepted (stored)            ${milliseconds(p50((s) => s.accepted))}`);
  console.log(`  placed, taken on by agent    ${milliseconds(p50((s) => s.placed))}`);
  console.log(`  network and root file system ${milliseconds(p50((s) => s.network))}`);
  console.log(`  runtime                      ${milliseconds(p50((s) => s.runtime))}`);
  console.log(`  app, Directory, in force     ${milliseconds(p50((s) => s.reachable))}`);
  console.log(
    `  total                        ${milliseconds(total)} (p90 ${milliseconds(
      percentile(
        deployed.map((s) => s.total),
        0.9,
      ),
    )})`,
  );
  console.log(`the same program by hand       ${milliseconds(own)}`);
  console.log(`beyond the app's own start-up  ${milliseconds(total - own)} (bound ${boundMs} ms)`);
  conclude({
    bench: 'deploy',
    runs: deployed.length,
    p50Ms: total,
    ownMs: own,
    beyondMs: total - own,
    ratio: total / own,
    boundMs,
    ok: total - own <= boundMs,
  });
}
