import fc from 'fast-check';
import t from 'tap';
import { parseApp, parseUpdate } from './parse-app.ts';
import { renderDefinition } from './render-app.ts';

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
const app = fc.record(
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

/** A kind of JSON value that no field of the same kind takes. */
const kindOf = (value: unknown) => (Array.isArray(value) ? 'array' : typeof value);
const wrong: readonly unknown[] = [[], { '': [] }, '\0', 1.5, true];

t.test('a definition that was shown is read back as the same definition', async (t) => {
  fc.assert(
    fc.property(app, (input) => {
      const parsed = parseApp(input);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.body));
      const shown = JSON.parse(JSON.stringify(renderDefinition(parsed.value)));
      t.strictSame(parseApp(shown), parsed);
      t.strictSame(parseUpdate({}, shown, parsed.value.id), parsed);
      t.strictSame(renderDefinition(parsed.value), shown);
    }),
  );
});

t.test('any JSON at all is answered, and refused unless it is an app', async (t) => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      const parsed = parseApp(json);
      t.ok(parsed.ok === false && parsed.status === 422);
    }),
  );
});

t.test('a definition with one value of another kind in it is refused at that place', async (t) => {
  fc.assert(
    fc.property(app, fc.nat(), fc.constantFrom(...wrong), (input, choice, other) => {
      const places = placesIn(input).filter(({ value }) => kindOf(value) !== kindOf(other));
      const place = places[choice % places.length]!;
      const parsed = parseApp(replaced(input, place.keys, other));
      if (parsed.ok) throw new Error(`${place.keys.join('/')} = ${JSON.stringify(other)} was taken`);
      const details = Array.isArray(parsed.body.details) ? parsed.body.details : [];
      t.ok(
        details.some(({ path }) => path.startsWith(pathOf(place.keys))),
        `${pathOf(place.keys)} is named in ${JSON.stringify(details)}`,
      );
    }),
    { numRuns: 500 },
  );
});

type Place = { readonly keys: readonly (string | number)[]; readonly value: unknown };

/** Every value inside that has a type of its own: all but the two that take several. */
function placesIn(value: unknown, keys: readonly (string | number)[] = []): readonly Place[] {
  const isEither = keys[0] === 'unreachableStrategy' || keys[0] === 'env';
  const own = keys.length === 0 || isEither ? [] : [{ keys, value }];
  if (typeof value !== 'object' || value === null) return own;
  const inside = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [...own, ...inside.flatMap(([key, one]) => placesIn(one, [...keys, key]))];
}

function replaced(value: unknown, [key, ...rest]: readonly (string | number)[], other: unknown): unknown {
  if (key === undefined) return other;
  if (Array.isArray(value))
    return value.map((one, index) => (index === key ? replaced(one, rest, other) : one));
  const fields = value as Readonly<Record<string, unknown>>;
  return { ...fields, [key]: replaced(fields[key], rest, other) };
}

function pathOf(keys: readonly (string | number)[]): string {
  return keys.map((key) => (typeof key === 'number' ? `(${key})` : `/${key}`)).join('');
}
