/**
 * Rolling updates of a two-instance app under a steady load through the edge and through the virtual IP: no request may fail.
 * Then the same with the acknowledgements of the drain switched off, where some must: proof that the bench can tell.
 */
import { fileURLToPath } from 'node:url';
import { insideOwnNetwork } from './inside.ts';
import { type Load, startLoad } from './load.ts';
import { conclude } from './numbers.ts';
import { clone, edge, get, send, settled, startWeir } from './weir.ts';

const updates = Number(process.argv[2] ?? 20);
const rate = 200;
const server = fileURLToPath(new URL('./server.ts', import.meta.url));

type Result = { readonly sent: number; readonly failed: number; readonly seconds: number };

await insideOwnNetwork(import.meta.url, async (folder) => {
  const safe = await measure(`${folder}/safe`, []);
  const unsafe = await measure(`${folder}/unsafe`, ['--no-wait-for-acks']);
  conclude({
    bench: 'rolling',
    updates,
    requests: safe.sent,
    failed: safe.failed,
    failedWithoutAcks: unsafe.failed,
    secondsPerUpdate: safe.seconds / updates,
    ok: safe.failed === 0 && unsafe.failed > 0,
  });
});

async function measure(folder: string, flags: readonly string[]): Promise<Result> {
  const weir = await startWeir(folder, flags);
  try {
    await send('POST', '/v2/apps', definition(0));
    await settled();
    const vip = (await get('/v1/directory')).vips.find((each: { names: string[] }) =>
      each.names.includes('rolling.bench.weir'),
    );
    const loads = {
      edge: startLoad({ ...edge, name: 'rolling.example', rate, keepAlive: true }),
      vip: startLoad({ host: vip.address, port: vip.port, name: 'rolling', rate, keepAlive: false }),
    };
    const started = performance.now();
    for (let update = 1; update <= updates; update++) {
      await send('PUT', '/v2/apps/bench/rolling', { env: environment(update) });
      await settled();
    }
    return await outcome(loads, (performance.now() - started) / 1000, flags);
  } finally {
    await weir.stop();
  }
}

async function outcome(
  loads: Readonly<Record<string, Load>>,
  seconds: number,
  flags: readonly string[],
): Promise<Result> {
  console.log(
    `${updates} rolling updates in ${seconds.toFixed(1)} s, ${rate} requests/s each way ${flags.join(' ') || '(drains wait for acknowledgements)'}:`,
  );
  let [sent, failed] = [0, 0];
  for (const [name, load] of Object.entries(loads)) {
    const { answered, failures, instances } = await load.finish();
    const lost = Object.values(failures).reduce((sum, count) => sum + count, 0);
    console.log(
      `  through the ${name}: ${answered} answered by ${instances} instances, ${lost} failed ${lost === 0 ? '' : JSON.stringify(failures)}`,
    );
    sent += answered + lost;
    failed += lost;
  }
  return { sent, failed, seconds };
}

function definition(update: number) {
  return {
    id: '/bench/rolling',
    cmd: `exec ${process.execPath} ${server}`,
    instances: 2,
    cpus: 0.5,
    mem: 128,
    env: environment(update),
    networks: [{ mode: 'container', name: 'weir' }],
    container: { type: 'MESOS', volumes: [clone], portMappings: [{ containerPort: 8080 }] },
    healthChecks: [
      {
        protocol: 'MESOS_HTTP',
        path: '/',
        delaySeconds: 0,
        intervalSeconds: 2,
        timeoutSeconds: 2,
        gracePeriodSeconds: 60,
      },
    ],
    labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'rolling.example' },
  };
}

function environment(update: number) {
  return { UPDATE: String(update), ANSWER_MS: '100' };
}
