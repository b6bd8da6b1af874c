import fc from 'fast-check';
import t from 'tap';
import { notActedOn } from './not-acted-on.ts';
import { parsePod } from './parse-pod.ts';
import { renderPodDefinition } from './render-pod.ts';

const web = {
  name: 'web',
  exec: { command: { argv: ['serve', '-v'] }, overrideEntrypoint: true },
  resources: { cpus: 0.5, mem: 64, disk: 5, gpus: 1 },
  resourceLimits: { mem: 128 },
  endpoints: [
    {
      ...{ name: 'http', containerPort: 80, hostPort: 0, protocol: ['tcp', 'udp'] },
      labels: { VIP_0: '/all:80' },
    },
    { name: 'admin', containerPort: 0, networkNames: ['blue'] },
  ],
  image: {
    ...{ kind: 'DOCKER', id: 'shop/web:1', forcePull: true },
    ...{ pullConfig: { secret: 'pw' }, labels: { c: 'd' } },
  },
  environment: { B: '2' },
  user: 'www',
  healthCheck: { http: { endpoint: 'http', path: '/up', scheme: 'HTTPS' }, intervalSeconds: 30 },
  volumeMounts: [
    { name: 'shared', mountPath: 'here' },
    { name: 'data', mountPath: '/data' },
    { name: 'key', mountPath: 'key', readOnly: true },
    { name: 'logs', mountPath: '/logs' },
  ],
  artifacts: [{ uri: 'http://h/a.tgz' }],
  labels: { e: 'f' },
  lifecycle: { killGracePeriodSeconds: 7 },
  tty: true,
};

const whole = {
  id: '/all',
  user: 'nobody',
  labels: { a: 'b' },
  environment: { A: '1', PW: { secret: 'pw' } },
  secrets: { pw: { source: '/team/pw' } },
  role: 'dev',
  linuxInfo: { seccomp: { unconfined: true } },
  containers: [
    web,
    { name: 'side', exec: { command: { shell: 'sleep 1' } }, resources: { cpus: 0.1, mem: 32 } },
  ],
  volumes: [
    { name: 'shared' },
    { name: 'logs', host: '/var/log' },
    { name: 'data', persistent: { size: 10 } },
    { name: 'key', secret: 'pw' },
  ],
  networks: [{ mode: 'container', name: 'blue', labels: { x: 'y' } }],
  scaling: { kind: 'fixed', instances: 3 },
  scheduling: {
    backoff: { backoff: 2, backoffFactor: 2, maxLaunchDelay: 60 },
    upgrade: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0 },
    placement: {
      constraints: [{ fieldName: 'rack', operator: 'MAX_PER', value: '2' }],
      acceptedResourceRoles: ['*'],
    },
    killSelection: 'OLDEST_FIRST',
    unreachableStrategy: { inactiveAfterSeconds: 1, expungeAfterSeconds: 2 },
  },
  executorResources: { cpus: 0.2, mem: 40, disk: 1 },
};

function parsed(body: unknown) {
  const result = parsePod(body);
  if (!result.ok) throw new Error(JSON.stringify(result.body));
  return result.value;
}

t.test('a pod takes what its containers and its executor take together', async (t) => {
  t.match(parsed(whole), {
    ...{ id: '/all', instances: 3, cpus: 0.8, mem: 136, disk: 6, gpus: 1, role: 'dev' },
    constraints: [{ field: 'rack', operator: 'MAX_PER', value: '2' }],
    healthChecks: [
      { protocol: 'MESOS_HTTPS', path: '/up', portIndex: 0, container: 'web', intervalSeconds: 30 },
    ],
    ...{ backoffSeconds: 2, backoffFactor: 2, maxLaunchDelaySeconds: 60 },
  });
});

t.test('a pod is shown with all it was given', async (t) => {
  t.match(renderPodDefinition(parsed(whole)), whole);
});

t.test('what of a pod changes nothing yet is named, each thing once', async (t) => {
  const names = notActedOn(parsed(whole)).map((text) => text.split(':')[0] ?? '');
  t.same(names.toSorted(), [
    'containers.image.pullConfig',
    'containers.resourceLimits',
    'containers.tty',
    'linuxInfo',
    'secrets',
    'volumes.persistent',
    'volumes.secret',
  ]);
});

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
const command = fc.oneof(
  word.map((shell) => ({ command: { shell } })),
  fc.array(word, { minLength: 1 }).map((argv) => ({ command: { argv } })),
);
const container = fc.record(
  {
    exec: command,
    resources: fc.record({ cpus: fc.integer({ min: 0, max: 9 }), mem: fc.integer({ min: 0, max: 99 }) }),
    environment: fc.dictionary(word, word),
    labels: fc.dictionary(word, word),
    user: word,
    tty: fc.boolean(),
    lifecycle: fc.record({ killGracePeriodSeconds: fc.integer({ min: 0, max: 99 }) }),
  },
  { requiredKeys: ['exec', 'resources'] },
);
const pod = fc
  .record({
    id: word.filter((id) => !['restart', 'tasks', 'versions'].includes(id)),
    labels: fc.dictionary(word, word),
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    instances: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ id, labels, containers, instances }) => ({
    ...{ id, labels, scaling: { kind: 'fixed', instances } },
    containers: containers.map((one, index) => ({
      ...{ ...one, name: `c${index}`, endpoints: [{ name: `e${index}` }] },
    })),
  }));

t.test('a pod that is read as it is shown is the same pod', async () => {
  const isSame = (body: unknown) => {
    const first = parsed(body);
    return text(first) === text(parsed(renderPodDefinition(first)));
  };
  fc.assert(fc.property(fc.oneof(fc.constant(whole), pod), isSame));
});

t.test('whatever is sent as a pod is read or refused, and nothing is thrown', async () => {
  const fields = fc.constantFrom(
    'id',
    'containers',
    'scaling',
    'labels',
    'volumes',
    'networks',
    'scheduling',
  );
  const mutated = fc
    .tuple(pod, fields, fc.jsonValue())
    .map(([one, name, value]) => ({ ...one, [name]: value }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), mutated), (body) => {
      const result = parsePod(body);
      return result.ok || result.status === 422;
    }),
  );
});

/** Without regard to the order of keys. */
function text(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
