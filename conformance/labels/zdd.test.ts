import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { engines } from '../product/engines.ts';
import { startLoad } from '../product/load.ts';
import { agentAddress, echoApp, openLabelHost, statisticsPort } from './label-host.ts';

/** marathon-lb's own tool, which is not in Debian: `git clone https://github.com/mesosphere/marathon-lb`; needs python3-requests, -six, -jwt, -pycurl. */
const tool = process.env['WEIR_ZDD'];
const skip =
  process.getuid?.() !== 0
    ? 'needs root'
    : tool === undefined && 'needs WEIR_ZDD, the path of zdd.py of marathon-lb';

for (const engine of engines)
  t.test(`marathon-lb's zdd.py, unmodified, replaces an app with the engine ${engine}`, { skip }, (t) =>
    replaces(t, engine),
  );

async function replaces(t: Test, engine: string): Promise<void> {
  const edge = await openLabelHost(t, `zdd${engine}`, { engine, isApart: true });
  const { host, api } = edge;
  const labels = {
    HAPROXY_GROUP: 'external',
    HAPROXY_0_VHOST: 'web.test',
    HAPROXY_DEPLOYMENT_GROUP: 'web',
    HAPROXY_DEPLOYMENT_ALT_PORT: '10001',
  };
  const definition = (greeting: string) => {
    const { portDefinitions: _, ...app } = echoApp('/web', labels, {
      instances: 4,
      env: { GREETING: greeting },
    });
    // The tool reads this older form only.
    return { ...app, ports: [10_000] };
  };

  async function deploy(greeting: string, more: readonly string[] = []) {
    const file = join(host.dir, `${greeting}.json`);
    writeFileSync(file, JSON.stringify(definition(greeting)));
    const lb = `http://${agentAddress}:${statisticsPort}`;
    const run = await host.exec(
      [
        ...[
          'python3',
          tool ?? '',
          '--marathon',
          'http://127.0.0.1:8080',
          '--marathon-lb',
          lb,
          '--json',
          file,
        ],
        ...['--force', '--step-delay', '1', '--max-wait', '40', '--syslog-socket', '/dev/null', ...more],
      ],
      { timeoutMs: 200_000 },
    );
    t.equal(run.exitCode, 0, greeting);
    if (run.exitCode !== 0) t.comment(run.stdout + run.stderr);
  }

  await deploy('one');
  await api.settled('/web-blue');
  await api.until('/web-blue', ({ tasksHealthy }) => tasksHealthy === 4);
  const target = { name: 'host', url: 'http://127.0.0.1:8000/?ms=100', host: 'web.test' };
  const loads = [
    startLoad(host, target, { perSecond: 40 }),
    startLoad(host, { name: 'port', url: 'http://127.0.0.1:10000/' }, { perSecond: 20 }),
  ];
  await deploy('two');
  await api.eventually<readonly unknown[]>('/v2/deployments', (all) => all.length === 0);
  await deploy('three', ['--initial-instances', '2', '--linear-increase', '2']);
  await api.eventually<readonly unknown[]>('/v2/deployments', (all) => all.length === 0);
  // Two of each, then on with the new ones.
  await deploy('four', ['--new-instances', '2']);
  const instances = async () => [
    (await api.app('/web-blue')).instances,
    (await api.app('/web-green')).instances,
  ];
  t.same(await instances(), [2, 2]);
  await deploy('four', ['--complete-cur']);
  for (const load of loads) {
    const { sent, failures } = await load.stop();
    t.same(failures, [], `none of ${sent} failed`);
    t.ok(sent > 200);
  }
  const ids = (await api.must<{ apps: { id: string }[] }>('GET', '/v2/apps')).apps.map(({ id }) => id);
  t.same(ids, ['/web-green']);
}
