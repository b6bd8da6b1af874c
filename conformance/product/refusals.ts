/** A request that must be refused, beside an app `known`. */
export type Refusal = {
  readonly what: string;
  readonly method?: 'PUT' | 'PATCH' | 'DELETE' | 'GET';
  readonly path?: string;
  readonly body?: unknown;
  readonly status: number;
  /** Of the first detail, or nothing for answers without details. */
  readonly at?: string;
  readonly says: RegExp;
};

const good = { id: '/x', cmd: 'sleep 100', cpus: 0.01, mem: 16 };
/** Is there when the others are refused. */
export const known = { ...good, id: '/there' };
const networked = {
  ...good,
  networks: [{ mode: 'container', name: 'weir' }],
  container: { type: 'MESOS', portMappings: [{ containerPort: 80 }] },
};

export const refusals: readonly Refusal[] = [
  { what: 'malformed JSON', body: '{"id": "/x", ', status: 400, says: /Invalid JSON/ },
  { what: 'an empty body', body: '', status: 400, says: /Please specify data in JSON format/ },
  { what: 'a list instead of an app', body: [good], status: 422, at: '/', says: /error.expected.jsobject/ },
  { what: 'text instead of an app', body: '"x"', status: 422, at: '/', says: /error.expected.jsobject/ },
  { what: 'no id', body: { cmd: 'sleep 1' }, status: 422, at: '/id', says: /error.path.missing/ },
  {
    what: 'an id with capitals',
    body: { ...good, id: '/Shop' },
    status: 422,
    at: '/id',
    says: /fully match/,
  },
  { what: 'an id with blanks', body: { ...good, id: '/a b' }, status: 422, at: '/id', says: /fully match/ },
  { what: 'a reserved id', body: { ...good, id: '/shop/tasks' }, status: 422, at: '/id', says: /reserved/ },
  {
    what: 'the root as id',
    body: { ...good, id: '/' },
    status: 422,
    at: '/id',
    says: /at least one path element/,
  },
  {
    what: 'instances as text',
    body: { ...good, instances: '2' },
    status: 422,
    at: '/instances',
    says: /error.expected.jsnumber/,
  },
  {
    what: 'half an instance',
    body: { ...good, instances: 1.5 },
    status: 422,
    at: '/instances',
    says: /error/,
  },
  {
    what: 'negative instances',
    body: { ...good, instances: -1 },
    status: 422,
    at: '/instances',
    says: /error.min|0/,
  },
  { what: 'negative memory', body: { ...good, mem: -1 }, status: 422, at: '/mem', says: /error.min|0/ },
  { what: 'no processor time', body: { ...good, cpus: 0 }, status: 422, at: '/cpus', says: /error.min|0/ },
  {
    what: 'env as a list',
    body: { ...good, env: ['A=1'] },
    status: 422,
    at: '/env',
    says: /error.expected.jsobject/,
  },
  {
    what: 'a number as value of env',
    body: { ...good, env: { A: 1 } },
    status: 422,
    at: '/env/A',
    says: /error.expected/,
  },
  {
    what: 'labels of other types',
    body: { ...good, labels: { a: { b: 1 } } },
    status: 422,
    at: '/labels/a',
    says: /error.expected.jsstring/,
  },
  {
    what: 'a command in both forms',
    body: { ...good, args: ['sleep', '1'] },
    status: 422,
    at: '/',
    says: /'cmd' or 'args'/,
  },
  { what: 'no command', body: { id: '/x' }, status: 422, at: '/', says: /'cmd' or 'args'/ },
  {
    what: 'an unknown network',
    body: { ...networked, networks: [{ mode: 'container', name: 'nowhere' }] },
    status: 422,
    at: '/networks',
    says: /nowhere/,
  },
  {
    what: 'an unknown network mode',
    body: { ...networked, networks: [{ mode: 'vpn' }] },
    status: 422,
    at: '/networks(0)/mode',
    says: /enum/,
  },
  {
    what: 'a port beyond 65535',
    body: { ...networked, container: { type: 'MESOS', portMappings: [{ containerPort: 70_000 }] } },
    status: 422,
    at: '/container/portMappings(0)/containerPort',
    says: /max|65535/,
  },
  {
    what: 'an unknown constraint',
    body: { ...good, constraints: [['hostname', 'NEAR']] },
    status: 422,
    at: '/constraints(0)',
    says: /operator must be one of/,
  },
  {
    what: 'a constraint with one word',
    body: { ...good, constraints: [['hostname']] },
    status: 422,
    at: '/constraints(0)',
    says: /2 or 3 fields/,
  },
  {
    what: 'a broken pattern in a constraint',
    body: { ...good, constraints: [['hostname', 'LIKE', '(']] },
    status: 422,
    at: '/constraints(0)',
    says: /regular expression/,
  },
  {
    what: 'a health check of a port that is not there',
    body: { ...networked, healthChecks: [{ protocol: 'MESOS_HTTP', portIndex: 3 }] },
    status: 422,
    at: '/healthChecks(0)',
    says: /port/,
  },
  {
    what: 'an unknown health check',
    body: { ...networked, healthChecks: [{ protocol: 'GRPC' }] },
    status: 422,
    at: '/healthChecks(0)/protocol',
    says: /enum/,
  },
  {
    what: 'a strategy beyond 1',
    body: { ...good, upgradeStrategy: { minimumHealthCapacity: 2, maximumOverCapacity: 0 } },
    status: 422,
    at: '/upgradeStrategy/minimumHealthCapacity',
    says: /max|1/,
  },
  {
    what: 'a secret that is not named',
    body: { ...good, env: { PW: { secret: 'a' } } },
    status: 422,
    at: '/env/PW/secret',
    says: /references an undefined secret/,
  },
  {
    what: 'a persistent volume that is only read',
    body: {
      ...good,
      container: { type: 'MESOS', volumes: [{ containerPath: 'd', mode: 'RO', persistent: { size: 1 } }] },
    },
    status: 422,
    at: '/container/volumes(0)/mode',
    says: /must be RW/,
  },
  {
    what: 'a file to fetch from nowhere',
    body: { ...good, fetch: [{ uri: 'http://a b' }] },
    status: 422,
    at: '/fetch(0)/uri',
    says: /URI has invalid syntax/,
  },
  {
    what: 'an id that is taken',
    body: { ...good, id: '/there' },
    status: 409,
    says: /An app with id \[\/there\] already exists/,
  },
  {
    what: 'a change of what is not there',
    method: 'PATCH',
    path: '/v2/apps/nobody',
    body: { instances: 2 },
    status: 404,
    says: /'\/nobody' does not exist/,
  },
  {
    what: 'a change that cannot be',
    method: 'PUT',
    path: '/v2/apps/there',
    body: { instances: 'many' },
    status: 422,
    at: '/instances',
    says: /error.expected.jsnumber/,
  },
  {
    what: 'a removal of what is not there',
    method: 'DELETE',
    path: '/v2/apps/nobody',
    status: 404,
    says: /'\/nobody' does not exist/,
  },
  {
    what: 'a pod that is not there',
    method: 'GET',
    path: '/v2/pods/nobody::status',
    status: 404,
    says: /Pod '\/nobody' does not exist/,
  },
  {
    what: 'an address that means nothing',
    method: 'GET',
    path: '/v2/apple',
    status: 404,
    says: /\/v2\/apple/,
  },
];
