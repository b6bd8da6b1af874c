import t, { type Test } from 'tap';
import { engines } from '../product/engines.ts';
import { serversIn } from './csv-rows.ts';
import { echoApp, openLabelHost, statisticsPort } from './label-host.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

const server =
  '  server {serverName} {host_ipv4}:{port} id {serverId}{cookieOptions}{healthCheckOptions}{otherOptions}';
const check = {
  ...{ protocol: 'MESOS_HTTP', path: '/health', portIndex: 0, delaySeconds: 0, intervalSeconds: 1 },
  ...{ timeoutSeconds: 2, gracePeriodSeconds: 30, maxConsecutiveFailures: 3 },
};

for (const engine of engines)
  t.test(`template labels that the edge understands with the engine ${engine}`, { skip }, (t) =>
    templatesServe(t, engine),
  );

async function templatesServe(t: Test, engine: string): Promise<void> {
  const edge = await openLabelHost(t, `temp${engine}`, { engine });
  const { api, ask } = edge;
  await edge.deploy(
    echoApp(
      '/t/all',
      {
        HAPROXY_GROUP: 'external',
        HAPROXY_0_VHOST: 'fields.test',
        HAPROXY_0_BACKEND_HEAD:
          'backend {backend}\n  balance {balance}\n  mode {mode}\n  timeout server 1s\n',
        HAPROXY_0_BACKEND_HTTP_OPTIONS:
          '  option forwardfor\n  http-request set-header X-Team {cleanedUpAppId}\n  http-response set-header X-Answer "from {servicePort}"\n  http-request deny if bad\n',
        HAPROXY_1_VHOST: 'check.test',
        HAPROXY_1_BACKEND_HEALTHCHECK_PORT_INDEX: '0',
        HAPROXY_1_BACKEND_SERVER_OPTIONS: `${server} check inter 200ms fall 2 rise 1\n`,
        HAPROXY_1_HTTP_FRONTEND_ACL: '  acl x',
      },
      { ports: [10_201, 10_202], instances: 2, check },
    ),
  );

  await t.test('fields are set both ways, with placeholders filled in', async (t) => {
    const { echo, headers } = await ask('/', { host: 'fields.test' });
    t.equal(echo?.headers['x-team'], '_t_all');
    t.equal(headers['x-answer'], 'from 10201');
  });

  await t.test('timeout server ends what takes longer', async (t) => {
    t.equal((await ask('/?ms=3000', { host: 'fields.test' })).status, 504);
    t.equal((await ask('/?ms=100', { host: 'fields.test' })).status, 200);
  });

  await t.test('each line that nothing comes of is told', async (t) => {
    type Faults = { readonly faults: readonly { app?: string; label?: string; reason: string }[] };
    const { faults } = await api.must<Faults>('GET', '/v1/routes');
    const told = faults
      .filter(({ app }) => app === '/t/all')
      .map(({ label, reason }) => `${label}: ${reason}`);
    t.match(
      told.find((one) => one.includes('BACKEND_HTTP_OPTIONS')),
      /"http-request deny if bad"/,
    );
    t.ok(told.some((one) => one.startsWith('HAPROXY_1_HTTP_FRONTEND_ACL: ')));
    t.notOk(told.some((one) => /SERVER_OPTIONS|BACKEND_HEAD|PORT_INDEX/.test(one)));
  });

  await t.test("the edge's own check asks at the port of the label, and takes the sick out", async (t) => {
    const [sick] = await api.tasks('/t/all');
    const { nodes } = await api.must<{ nodes: { address: string }[] }>('GET', '/v1/nodes');
    await ask('/?sick', { port: sick?.ports[0] ?? 0, address: nodes[0]?.address ?? '' });
    const csv = await edge.until('/haproxy?stats;csv', { port: statisticsPort }, ({ text }) =>
      serversIn(text, 't_all_10202').some((row) => row.get('status') === 'DOWN'),
    );
    const down = serversIn(csv.text, 't_all_10202').filter((row) => row.get('status') === 'DOWN');
    t.match(down[0]?.get('svname'), new RegExp(`_${sick?.ports[1]}$`));
    for (let n = 0; n < 6; n++) t.not((await ask('/', { host: 'check.test' })).echo?.task, sick?.id);
  });
}
