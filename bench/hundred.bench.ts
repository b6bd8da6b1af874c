/**
 * A hundred rolling deployments of one app under load by name and by virtual IP, over TCP and UDP, by clients that resolve
 * once and by clients that resolve each time: no request may fail.
 */
import { Resolver } from 'node:dns/promises';
import { fileURLToPath } from 'node:url';
import { startDatagramLoad } from './datagram-load.ts';
import { insideOwnNetwork } from './inside.ts';
import { type Load, startLoad } from './load.ts';
import { conclude } from './numbers.ts';
import { clone, edge, get, send, settled, startWeir } from './weir.ts';

const deployments = Number(process.argv[2] ?? 100);
/** `ebpf`, `nftables` or `userspace`; default: what this machine can do best. */
const vips = process.argv[3];
/** Requests a second of each client. */
const rate = 20;
const name = 'hundred.bench.weir';
const ports = { tcp: 8080, udp: 8081 };
const server = fileURLToPath(new URL('./server.ts', import.meta.url));

await insideOwnNetwork(import.meta.url, async (folder) => {
  const weir = await startWeir(folder, vips === undefined ? [] : ['--vip', vips]);
  try {
    await send('POST', '/v2/apps', definition());
    await settled();
    const loads = await clients();
    const started = performance.now();
    for (let round = 1; round <= deployments; round++) {
      await send('PUT', '/v2/apps/bench/hundred', { env: environment(round) });
      await settled();
    }
    const seconds = (performance.now() - started) / 1_000;
    await report(await outcomes(loads), seconds);
  } finally {
    await weir.stop();
  }
});

async function clients(): Promise<Readonly<Record<string, Load>>> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers(['127.0.0.1:10053']);
  const resolve = async () => (await resolver.resolve4(name))[0] ?? '';
  const once = await resolve();
  const http = { name: 'hundred', rate, keepAlive: false };
  const udp = { port: ports.udp, rate };
  return {
    'TCP by VIP, resolved once': startLoad({ ...http, host: once, port: ports.tcp }),
    'TCP by name, each time': startLoad({ ...http, host: resolve, port: ports.tcp }),
    'HTTP by the edge': startLoad({ ...http, ...edge, name: 'hundred.example' }),
    'UDP by VIP, one connected socket': startDatagramLoad({ ...udp, host: once, socket: 'connected' }),
    'UDP by VIP, one open socket': startDatagramLoad({ ...udp, host: once, socket: 'one' }),
    'UDP by name, a socket each time': startDatagramLoad({ ...udp, host: resolve, socket: 'each' }),
  };
}

type Row = {
  readonly client: string;
  readonly answered: number;
  readonly failed: number;
  readonly again: number;
  readonly late: number;
};

async function outcomes(loads: Readonly<Record<string, Load>>): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const [client, load] of Object.entries(loads)) {
    const { answered, failures, instances, again = 0, late = 0 } = await load.finish();
    const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
    const repeats = [again > 0 && `, ${again} asked twice`, late > 0 && `, ${late} answered late`];
    const words = [...repeats, failed > 0 && ` ${JSON.stringify(failures)}`].filter(Boolean).join('');
    console.log(`  ${client}: ${answered} answered by ${instances} instances, ${failed} failed${words}`);
    rows.push({ client, answered, failed, again, late });
  }
  return rows;
}

async function report(rows: readonly Row[], seconds: number): Promise<void> {
  const directory: { vips: readonly { names: readonly string[] }[] } = await get('/v1/directory');
  const failed = rows.reduce((sum, row) => sum + row.failed, 0);
  const answered = rows.reduce((sum, row) => sum + row.answered, 0);
  conclude({
    bench: 'hundred',
    deployments,
    secondsPerDeployment: seconds / deployments,
    vips: directory.vips.filter(({ names }) => names.includes(name)).length,
    answered,
    failed,
    askedTwice: rows.reduce((sum, row) => sum + row.again, 0),
    answeredLate: rows.reduce((sum, row) => sum + row.late, 0),
    ok: failed === 0 && rows.every((row) => row.answered > 0),
  });
}

function definition() {
  const mapping = (containerPort: number, protocol: string) => ({ containerPort, protocol });
  return {
    id: '/bench/hundred',
    cmd: `exec ${process.execPath} ${server}`,
    instances: 2,
    cpus: 0.1,
    mem: 128,
    env: environment(0),
    networks: [{ mode: 'container', name: 'weir' }],
    container: {
      type: 'MESOS',
      volumes: [clone],
      portMappings: [mapping(ports.tcp, 'tcp'), mapping(ports.udp, 'udp')],
    },
    healthChecks: [
      {
        protocol: 'MESOS_HTTP',
        path: '/',
        delaySeconds: 0,
        intervalSeconds: 1,
        timeoutSeconds: 5,
        gracePeriodSeconds: 60,
      },
    ],
    labels: { HAPROXY_GROUP: 'external', HAPROXY_0_VHOST: 'hundred.example' },
  };
}

function environment(round: number) {
  return { ROUND: String(round), ANSWER_MS: '50', UDP_PORT: String(ports.udp) };
}
