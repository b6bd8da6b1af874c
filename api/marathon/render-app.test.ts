import t from 'tap';
import { parseApp } from './parse-app.ts';
import { renderApp } from './render-app.ts';

const version = '2024-03-01T09:15:04.120Z';

function rendered(fields: object): Readonly<Record<string, unknown>> {
  const parsed = parseApp({ id: '/shop/cart', cmd: 'node srv.js --port $PORT0', ...fields });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.body));
  const versionInfo = { lastScalingAt: version, lastConfigChangeAt: version };
  return renderApp({ ...parsed.value, version, versionInfo });
}

t.test('a minimal app is shown with every default and nothing empty', async (t) => {
  t.same(rendered({ cpus: 0.2, mem: 64, instances: 2 }), {
    id: '/shop/cart',
    cmd: 'node srv.js --port $PORT0',
    cpus: 0.2,
    mem: 64,
    disk: 0,
    gpus: 0,
    instances: 2,
    backoffFactor: 1.15,
    backoffSeconds: 1,
    maxLaunchDelaySeconds: 3600,
    executor: '',
    labels: {},
    networks: [{ mode: 'host' }],
    portDefinitions: [{ port: 0, protocol: 'tcp', name: 'default' }],
    requirePorts: false,
    upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
    killSelection: 'YOUNGEST_FIRST',
    unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    version,
    versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
  });
});

t.test('a container is shown with the empty lists that clients read', async (t) => {
  const container = { docker: { image: 'x' }, portMappings: [{ containerPort: 80 }] };
  t.same(rendered({ networks: [{ name: 'n' }], container })['container'], {
    type: 'DOCKER',
    docker: { image: 'x', forcePullImage: false, privileged: false, parameters: [] },
    volumes: [],
    portMappings: [{ containerPort: 80, servicePort: 0, protocol: 'tcp', labels: {} }],
  });
});

t.test('what was written in a form before 1.5 is shown in the new form only', async (t) => {
  const docker = { image: 'x', network: 'BRIDGE', portMappings: [{ containerPort: 80 }] };
  const app = rendered({ ipAddress: { networkName: 'n' }, container: { docker } });
  t.same(
    Object.keys(app).filter((key) => ['ports', 'uris', 'ipAddress'].includes(key)),
    [],
  );
  t.notMatch(app, { container: { docker: { network: /./ } } });
  t.same(app['networks'], [{ mode: 'container/bridge' }]);
});

t.test('no key is shown that strict clients do not know', async (t) => {
  const keys = Object.keys(
    rendered({
      args: [],
      user: 'www',
      env: { A: 'b' },
      constraints: [['rack', 'LIKE', 'r.*']],
      dependencies: ['/db'],
      healthChecks: [{}],
      acceptedResourceRoles: ['*'],
      taskKillGracePeriodSeconds: 5,
      unreachableStrategy: 'disabled',
    }),
  );
  // The fields of MarathonApp in the oldest client that refuses others (§23).
  const known =
    'acceptedResourceRoles args backoffFactor backoffSeconds cmd constraints container cpus dependencies disk env executor fetch gpus healthChecks id instances killSelection labels maxLaunchDelaySeconds mem networks portDefinitions readinessChecks requirePorts secrets taskKillGracePeriodSeconds unreachableStrategy upgradeStrategy user version versionInfo';
  t.same(
    keys.filter((key) => !known.split(' ').includes(key)),
    [],
  );
});
