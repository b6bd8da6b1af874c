import fc from 'fast-check';

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,6}$/);
const labels = fc.dictionary(word, fc.string({ maxLength: 8 }), { maxKeys: 3 });
const whole = fc.integer({ min: 0, max: 1_000 });
const share = fc.constantFrom(0, 0.25, 0.5, 1);
const protocol = fc.constantFrom('tcp', 'udp', 'udp,tcp');
const optional = { requiredKeys: [] };

const mapping = fc.record(
  { containerPort: whole, hostPort: whole, servicePort: whole, protocol, labels },
  optional,
);
const container = fc.record({
  type: fc.constant('MESOS'),
  portMappings: fc.array(mapping, { maxLength: 3 }),
  volumes: fc.array(fc.record({ containerPath: word, hostPath: word, mode: fc.constantFrom('RO', 'rw') }), {
    maxLength: 2,
  }),
});
const definition = fc.record({ port: fc.constant(0), protocol, labels }, optional);
const constraint = fc.constantFrom(
  ['hostname', 'UNIQUE'],
  ['rack', 'group_by', '3'],
  ['@zone', 'LIKE', 'z.*'],
);

/** Definitions that nothing is wrong with, in many forms. */
export const arbitraryApp = fc.record(
  {
    id: fc.array(word, { minLength: 1, maxLength: 3 }).map((parts) => `/x/${parts.join('/')}0`),
    cmd: word,
    instances: whole,
    cpus: fc.constantFrom(0.1, 1, 2.5),
    mem: whole,
    disk: whole,
    env: labels,
    labels,
    user: word,
    networks: fc.constantFrom([], [{ mode: 'HOST' }], [{ mode: 'container/bridge' }], [{ name: 'a' }], [{}]),
    container,
    portDefinitions: fc.array(definition, { maxLength: 3 }),
    constraints: fc.uniqueArray(constraint, { selector: String }),
    dependencies: fc.uniqueArray(word, { maxLength: 3 }),
    upgradeStrategy: fc.record({ minimumHealthCapacity: share, maximumOverCapacity: share }),
    healthChecks: fc.array(
      fc.record({ port: whole, path: word, gracePeriodSeconds: whole }, { requiredKeys: ['port'] }),
      {
        maxLength: 2,
      },
    ),
    killSelection: fc.constantFrom('OLDEST_FIRST', 'youngest_first'),
    unreachableStrategy: fc.constantFrom('disabled', { expungeAfterSeconds: 9 }, {}),
    taskKillGracePeriodSeconds: whole,
    backoffFactor: fc.constantFrom(1, 1.5),
    requirePorts: fc.boolean(),
  },
  { requiredKeys: ['id', 'cmd'] },
);
