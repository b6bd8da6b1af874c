import t, { type Test } from 'tap';
import { parseApp } from './parse-app.ts';
import type { Parsed } from './parse-json.ts';

const app = { id: '/shop/cart', cmd: 'run' };

/** Every fault as `path: error`, under the message. */
function faultsOf(parsed: Parsed<unknown>): readonly string[] {
  if (parsed.ok || !Array.isArray(parsed.body.details)) return [];
  return parsed.body.details.flatMap(({ path, errors }) =>
    errors.map((error: string) => `${path}: ${error}`),
  );
}

t.test('a document of the wrong types is refused with a code at each path', async (t) => {
  const rows: readonly [fields: object, ...faults: string[]][] = [
    [{ id: 5 }, '/id: error.expected.jsstring'],
    [{ id: null }, '/id: error.path.missing'],
    [{ instances: '2' }, '/instances: error.expected.jsnumber'],
    [{ instances: 1.5 }, '/instances: error.expected.jsnumber'],
    [{ instances: -1 }, '/instances: error.min'],
    [{ instances: 2 ** 31 }, '/instances: error.max'],
    [{ cpus: 0 }, '/cpus: error.min'],
    [{ cmd: '' }, '/cmd: error.minLength'],
    [{ requirePorts: 'true' }, '/requirePorts: error.expected.jsboolean'],
    [{ args: 'run' }, '/args: error.expected.jsarray'],
    [{ labels: [] }, '/labels: error.expected.jsobject'],
    [{ labels: { tier: 1 } }, '/labels/tier: error.expected.jsstring'],
    [{ env: { A: 1, B: {} } }, '/env/A: error.expected.jsstring', '/env/B/secret: error.path.missing'],
    [{ constraints: [['hostname', 'MAX_PER', 2]] }, '/constraints(0)(2): error.expected.jsstring'],
    [{ killSelection: 'SOMETIMES' }, '/killSelection: error.unknown.enum.literal'],
    [{ unreachableStrategy: 'enabled' }, '/unreachableStrategy: error.unknown.enum.literal'],
    [
      { upgradeStrategy: {} },
      '/upgradeStrategy/minimumHealthCapacity: error.path.missing',
      '/upgradeStrategy/maximumOverCapacity: error.path.missing',
    ],
    [
      { portDefinitions: [{ port: 65_536, name: 'No' }] },
      '/portDefinitions(0)/port: error.max',
      '/portDefinitions(0)/name: error.pattern',
    ],
    [{ networks: [{ name: 'x'.repeat(64) }] }, '/networks(0)/name: error.maxLength'],
    [
      { container: { docker: {}, volumes: [{}] } },
      '/container/docker/image: error.path.missing',
      '/container/volumes(0)/containerPath: error.path.missing',
    ],
    [{ executor: '/a//b' }, '/executor: error.pattern'],
  ];
  for (const [fields, ...faults] of rows) {
    const parsed = parseApp({ ...app, ...fields });
    t.match(parsed, { ok: false, status: 422, body: { message: 'Invalid JSON' } });
    t.same(faultsOf(parsed), faults, JSON.stringify(fields));
  }
});

t.test('a body that is no object, or none at all, is refused', async (t) => {
  for (const body of [null, [], 'text', 5, true])
    t.same(faultsOf(parseApp(body)), ['/: error.expected.jsobject']);
  t.match(parseApp(undefined), { status: 400, body: { message: 'Please specify data in JSON format' } });
});

t.test('an impossible definition is refused in the words of Marathon, at each path', async (t) => {
  const image = { docker: { image: 'shop/api:3' } };
  const nothing = "/: AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";
  const rows: readonly [fields: object, ...faults: (string | RegExp)[]][] = [
    [{ args: ['run'] }, nothing],
    [{ cmd: null }, nothing],
    [{ id: '/A' }, /^\/id: must fully match regular expression '/],
    [{ id: '/a_b' }, /^\/id: must fully match/],
    [{ id: '/' }, '/id: Path must contain at least one path element'],
    [
      { id: '/shop/tasks' },
      '/id: must not end with any of the following reserved keywords: restart, tasks, versions, ., ..',
    ],
    [{ id: '/shop/..' }, /^\/id: must not end with/],
    [{ dependencies: ['/DB', '../x'] }, /^\/dependencies\(0\): must fully match/],
    [{ dependencies: ['/db', '/db'] }, '/dependencies: must not contain duplicates'],
    [{ acceptedResourceRoles: [] }, '/acceptedResourceRoles: must not be empty'],
    [{ acceptedResourceRoles: ['x'] }, /can only contain \* and \*/],
    [
      { unreachableStrategy: { inactiveAfterSeconds: 5 } },
      '/unreachableStrategy: inactiveAfterSeconds (5) must be less or equal to expungeAfterSeconds, which is 0',
    ],
    [
      { upgradeStrategy: { minimumHealthCapacity: 1.5, maximumOverCapacity: 0 } },
      '/upgradeStrategy/minimumHealthCapacity: got 1.5, expected between 0.0 and 1.0',
    ],
    [
      { labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' }, instances: 2 },
      '/: Single instance app may only have one instance',
    ],
    [
      { labels: { DCOS_MIGRATION_API_VERSION: 'v2' } },
      /^\/labels: .* must be v1/,
      /API_PATH/,
      /FRAMEWORK_NAME/,
    ],
    [{ container: {} }, '/container/docker: not defined'],
    [{ container: { ...image, linuxInfo: {} } }, /MESOS only/],
    [
      { container: { type: 'MESOS', docker: { image: 'x', network: 'BRIDGE' } } },
      '/container/docker/network: must be empty',
    ],
    [{ container: { docker: { image: 'x', credential: {} } } }, /^\/container\/docker\/credential: /],
    [
      { cmd: 'a\0b', env: { '': 'x', 'A=B': 'y' } },
      '/cmd: must not contain a NUL character',
      '/env: must not contain an empty name',
      '/env/A=B: must not have a = in its name',
    ],
  ];
  for (const [fields, ...wanted] of rows) checkRow(t, fields, wanted);
});

t.test('constraints are checked one by one', async (t) => {
  const rows: readonly [constraint: string[], fault: string | RegExp][] = [
    [['hostname'], '/constraints(0): Each constraint must have either 2 or 3 fields'],
    [['', 'UNIQUE'], '/constraints(0): missing field for constraint declaration'],
    [['hostname', 'UNIQUE', 'x'], '/constraints(0): UNIQUE does not accept a value'],
    [
      ['rack', 'GROUP_BY', 'x'],
      '/constraints(0): GROUP BY must define an integer value or else no value at all',
    ],
    [['rack', 'MAX_PER'], '/constraints(0): MAX_PER requires an integer value'],
    [['rack', 'LIKE'], '/constraints(0): LIKE and UNLIKE require a non-empty, regular expression value'],
    [['rack', 'UNLIKE', '*'], "/constraints(0): '*' is not a valid regular expression"],
    [
      ['rack', 'NEAR'],
      '/constraints(0): operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS',
    ],
    [['rack', 'IS', 'a b'], /^\/constraints\(0\): IS requires/],
  ];
  for (const [constraint, fault] of rows) checkRow(t, { constraints: [constraint] }, [fault]);
  const unique = ['hostname', 'unique'];
  checkRow(t, { constraints: [unique, unique] }, ['/constraints: must not contain duplicates']);
});

t.test('networks and ports are checked together', async (t) => {
  const image = { type: 'DOCKER', docker: { image: 'x' } };
  const rows: readonly [fields: object, ...faults: (string | RegExp)[]][] = [
    [{ networks: [{ mode: 'host', name: 'a' }] }, '/networks: Host networks may not have names or labels'],
    [
      { networks: [{ mode: 'container/bridge', name: 'a' }] },
      '/networks: Bridge networks may not have names',
    ],
    [{ networks: [{ name: 'a' }, { name: 'a' }] }, '/networks: Duplicate networks are not allowed'],
    [
      { networks: [{ mode: 'host' }, { name: 'a' }] },
      '/networks: May specify a single host network, single bridge network, or else 1-to-n container networks',
    ],
    [
      { networks: [{ name: 'a' }, { name: 'b' }], container: image },
      '/networks: may only specify a single container network when using the Docker container engine',
    ],
    [{ portDefinitions: [{ name: 'a' }, { name: 'a' }] }, '/portDefinitions: Port names must be unique.'],
    [{ portDefinitions: [{ port: 1 }, { port: 1 }] }, '/portDefinitions: Ports must be unique.'],
    [{ ports: [0, 0, 7, 7] }, '/ports: ports must be unique'],
    [{ ports: [1], portDefinitions: [{ port: 2 }] }, '/: cannot specify both ports and port definitions'],
    [{ ports: [1], ipAddress: {} }, '/: cannot specify both an IP address and port'],
    [{ networks: [{ name: 'a' }], ipAddress: {} }, '/: must not specify both networks and ipAddress'],
    [
      { networks: [{ name: 'a' }], container: { docker: { image: 'x', network: 'USER' } } },
      '/: must not specify both container.docker.network and networks',
    ],
    [
      { networks: [{ name: 'a' }], container: { docker: { image: 'x', portMappings: [] } } },
      '/: cannot mix deprecated and canonical network APIs',
    ],
    [
      { container: { docker: { image: 'x', network: 'NONE' } } },
      '/container/docker/network: unsupported docker network type',
    ],
    [
      { ipAddress: { discovery: {} }, container: image },
      '/ipAddress/discovery: ipAddress/discovery is not allowed for Docker containers',
    ],
    [
      { networks: [{ name: 'a' }], container: { type: 'MESOS', portMappings: [{ networkNames: ['b'] }] } },
      "/container/portMappings(0)/networkNames(0): 'b' is not one of the networks of the app",
    ],
    [
      {
        networks: [{ name: 'a' }, { name: 'b' }],
        container: { type: 'MESOS', portMappings: [{ hostPort: 0 }] },
      },
      /^\/container\/portMappings\(0\): networkNames must be a single item list/,
    ],
  ];
  for (const [fields, ...wanted] of rows) checkRow(t, fields, wanted);
});

t.test('health checks must find their port', async (t) => {
  const unresolved =
    /Health check port indices must address an element of the ports array or container port mappings\./;
  const mesos = { protocol: 'MESOS_HTTP' };
  const rows: readonly [fields: object, ...faults: (string | RegExp)[]][] = [
    [{ healthChecks: [{ portIndex: 1 }] }, unresolved],
    [{ portDefinitions: [], healthChecks: [{}] }, unresolved],
    [
      { networks: [{ name: 'a' }], container: { type: 'MESOS', portMappings: [] }, healthChecks: [mesos] },
      unresolved,
    ],
    [
      { healthChecks: [mesos, { protocol: 'COMMAND', command: { value: 'true' } }] },
      '/healthChecks: AppDefinition can contain at most one Mesos health check',
    ],
    [
      { healthChecks: [{ protocol: 'COMMAND' }] },
      '/healthChecks(0)/command: must be given for protocol COMMAND',
    ],
    [
      { healthChecks: [{ port: 1, portIndex: 0 }] },
      '/healthChecks(0): must not specify both port and portIndex',
    ],
    [{ healthChecks: [{ ipProtocol: 'IPv6' }] }, /IPv6 can only be used/],
  ];
  for (const [fields, ...wanted] of rows) checkRow(t, fields, wanted);
  const fine = [
    { healthChecks: [{}] },
    { portDefinitions: [], healthChecks: [{ port: 80 }] },
    { ports: [1, 2], healthChecks: [{ portIndex: 1 }] },
  ];
  for (const fields of fine) t.ok(parseApp({ ...app, ...fields }).ok, JSON.stringify(fields));
});

const resident = { containerPath: 'data', mode: 'RW', persistent: { size: 10 } };
const mesos = (...volumes: object[]) => ({ container: { type: 'MESOS', volumes } });

t.test(
  'a general check is of one kind, by a port that is there, and not for the Docker engine',
  async (t) => {
    const http = { http: { path: '/up' } };
    const exec = (command: object) => ({ check: { exec: { command } } });
    const docker = { container: { type: 'DOCKER', docker: { image: 'a' } } };
    for (const fields of [{ check: http }, exec({ shell: 'true' }), exec({ argv: ['true'] })])
      t.ok(parseApp({ ...app, ...fields }).ok, JSON.stringify(fields));
    checkRow(t, { check: {} }, [/^\/check: must be exactly one of http, tcp and exec/]);
    checkRow(t, { check: { ...http, tcp: {} } }, [/^\/check: must be exactly one/]);
    checkRow(t, { check: { tcp: { portIndex: 3 } } }, [/^\/check\/tcp: Health check port indices/]);
    checkRow(t, exec({}), [/^\/check\/exec\/command: must be exactly one/]);
    checkRow(t, { ...docker, check: http }, [/must not use 'checks' if using docker/]);
  },
);

t.test('fields for volumes, secrets and later versions are checked', async (t) => {
  const pull = { type: 'MESOS', docker: { image: 'a', pullConfig: { secret: 'x' } } };
  const external = {
    containerPath: '/x',
    external: { name: 'v', provider: 'dvdi', options: { 'dvdi/driver': 'r' } },
  };
  const rows: readonly [fields: object, ...faults: (string | RegExp)[]][] = [
    [{ gpus: 1, container: { docker: { image: 'a' } } }, /^\/: GPU resources only work with the Mesos/],
    [{ env: { PW: { secret: 'pw' } } }, '/env/PW/secret: references an undefined secret'],
    [mesos({ containerPath: 'x', secret: 's' }), /secret: volume.secret must refer to an existing secret/],
    [{ container: pull }, /pullConfig\/secret: pullConfig.secret must refer to an existing secret/],
    [
      { resourceLimits: { cpus: 0.01, mem: 1 } },
      /^\/resourceLimits\/cpus: must be/,
      /^\/resourceLimits\/mem: must be/,
    ],
    [{ fetch: [{ uri: 'http://a b' }] }, '/fetch(0)/uri: URI has invalid syntax.'],
    [{ acceptedResourceRoles: ['b'], role: 'a' }, /: acceptedResourceRoles can only contain \* and a$/],
    [
      {
        ...mesos(resident),
        unreachableStrategy: {},
        upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 1 },
      },
      '/upgradeStrategy/maximumOverCapacity: got 1, expected 0.0',
      '/unreachableStrategy: unreachableStrategy must be disabled for resident tasks',
    ],
    [{ ...mesos(external), instances: 2 }, /^\/instances: got 2, expected 1 or less/],
    [mesos(external, external), /Volume names must be unique/],
    [
      {
        container: {
          type: 'MESOS',
          linuxInfo: { seccomp: {}, ipcInfo: { mode: 'SHARE_PARENT', shmSize: 1 } },
        },
      },
      /seccomp: must have exactly one/,
      /ipcInfo: shmSize is not allowed/,
    ],
  ];
  for (const [fields, ...wanted] of rows) checkRow(t, fields, wanted);
  const volumes = [
    { containerPath: '/data', mode: 'RO', persistent: { size: 0, maxSize: 0 } },
    { containerPath: 'x', external: {} },
    { containerPath: '', mode: 'RO' },
    { ...resident, persistent: { size: 1, constraints: [['path', 'LIKE', 'x']] } },
    {
      ...resident,
      persistent: {
        size: 1,
        type: 'path',
        constraints: [
          ['path', 'UNIQUE'],
          ['path', 'unlike', 'x'],
        ],
      },
    },
  ];
  t.same(
    faultsOf(parseApp({ ...app, ...mesos(...volumes) })).map((fault) =>
      fault.replace('/container/volumes', ''),
    ),
    [
      '(0)/containerPath: value must not contain "/"',
      '(0)/mode: must be RW for a persistent volume',
      '(0)/persistent/size: must be greater than 0',
      '(0)/persistent: Only mount volumes can have maxSize',
      '(0)/persistent: Max size must be larger than size',
      '(1)/external/name: must not be empty',
      '(1)/external/provider: is unknown provider; known: dvdi, csi',
      '(2)/containerPath: must not be empty',
      '(2)/hostPath: must not be empty',
      '(3)/persistent/constraints: Constraints on root volumes are not supported',
      '(4)/persistent/constraints(0): must be a LIKE or UNLIKE constraint on path',
    ],
  );
});

t.test('what outlives instances changes the defaults', async (t) => {
  const parsed = parseApp({ ...app, ...mesos(resident) });
  t.match(parsed.ok && parsed.value, {
    residency: { relaunchEscalationTimeoutSeconds: 3600, taskLostBehavior: 'WAIT_FOREVER' },
    upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 },
    unreachableStrategy: 'disabled',
    container: { volumes: [resident] },
  });
});

t.test('all faults of a level are reported together', async (t) => {
  const parsed = parseApp({
    id: '/A',
    cmd: 'x',
    args: ['y'],
    constraints: [['a', 'UNIQUE', 'b']],
    uris: [''],
  });
  t.match(parsed, { status: 422, body: { message: 'Object is not valid' } });
  t.same(
    faultsOf(parsed).map((fault) => fault.split(': ')[0]),
    ['/id', '/', '/constraints(0)', '/uris(0)'],
  );
});

t.test('unknown fields and nulls count for nothing', async (t) => {
  const plain = parseApp(app);
  t.ok(plain.ok);
  t.same(parseApp({ ...app, colour: 'red', cpus: null, env: { A: null }, versionInfo: null }), plain);
});

t.test('a key that JavaScript knows is a key like any other', async (t) => {
  const parsed = parseApp(JSON.parse('{"id":"/a","cmd":"x","env":{"__proto__":"x","constructor":"y"}}'));
  t.same(parsed.ok && Object.entries(parsed.value.env), [
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ]);
});

function checkRow(t: Test, fields: object, wanted: readonly (string | RegExp)[]): void {
  const parsed = parseApp({ ...app, ...fields });
  const found = faultsOf(parsed);
  t.match(
    parsed,
    { ok: false, status: 422, body: { message: 'Object is not valid' } },
    JSON.stringify(fields),
  );
  t.match(found, wanted, JSON.stringify(fields));
  t.equal(found.length, wanted.length, found.join('\n'));
}
