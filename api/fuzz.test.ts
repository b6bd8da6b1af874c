import fc from 'fast-check';
import t from 'tap';
import { readApp } from './marathon/app-schema.ts';
import { readPod } from './marathon/pod-schema.ts';
import { operations } from './openapi/document.ts';
import { queryParameters } from './openapi/operation.ts';
import { arbitraryApp } from './testing/arbitrary-app.ts';
import { startMaster } from './testing/master.ts';
import { type Schema, sparse } from './testing/of-schema.ts';

type Request = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
};

const path = fc.constantFrom(
  ...[
    '/x',
    '/x/a',
    '/x/a/b',
    '/..',
    '/x/..',
    '//',
    '/x%2Fa',
    '/%00',
    '/X',
    '/x/*',
    '/*',
    '/x/tasks',
    '/x/a/tasks/t',
  ],
  ...[
    '/x/versions/v',
    '/versions',
    '/apps',
    '/x/restart',
    '/__proto__',
    '/constructor/a',
    '/%E0%A4',
    `/${'a/'.repeat(300)}`,
  ],
);
const query = fc.constantFrom(
  '?force=true',
  '?force=true&scale=true',
  '?scale=1&wipe=true',
  '?label=%5C',
  '?embed=',
  '',
);

/** Any value in any place of an app. */
const spoiled = fc
  .tuple(arbitraryApp, fc.array(fc.tuple(fc.nat(), fc.jsonValue({ maxDepth: 2 })), { maxLength: 2 }))
  .map(([app, wrongs]) => wrongs.reduce<unknown>((body, [choice, wrong]) => spoil(body, choice, wrong), app));
const group = fc.letrec((tie) => ({
  group: fc.record(
    {
      id: fc.constantFrom('/x', 'a', '..', '', 'B', '/'),
      apps: fc.array(spoiled, { maxLength: 2 }),
      groups: fc.array(tie('group'), { maxLength: 2, depthIdentifier: 'group' }),
      dependencies: fc.constantFrom([], ['a']),
      scaleBy: fc.constantFrom(0, 2, -1, 1e300, '2'),
      version: fc.constantFrom('v', '2001-01-01T00:00:00.000Z', 5),
    },
    { requiredKeys: [] },
  ),
})).group;

const names = fc.constantFrom('/x/a', '/x/b', '/x/in/c');
const fromApp = names.chain((id) => sparse(readApp.schema, { id, cmd: 'x', cpus: 0.1, mem: 16 }));
const container = { name: 'c', resources: { cpus: 0.1, mem: 16 }, exec: { command: { shell: 'x' } } };
const podContainer = (readPod.schema as Schema).properties?.['containers']?.items ?? {};
const fromPod = fc
  .tuple(
    fc.constantFrom('/x/pod', '/x/a'),
    fc.array(sparse(podContainer, container), { minLength: 1, maxLength: 2 }),
  )
  .chain(([id, containers]) => sparse(readPod.schema, { id, containers }));
const parameter = fc.tuple(
  fc.constantFrom(...Object.keys(queryParameters)),
  fc.constantFrom('true', 'TRUE', '1', '', '%00', '%', 'a,b', 'in (', 'x==y', '-1', '9'.repeat(40)),
);
const anyQuery = fc
  .array(parameter, { maxLength: 3 })
  .map((pairs) => `?${pairs.map(([name, value]) => `${name}=${value}`).join('&')}`);
/** Streams do not end; the master is to stay. */
const calm = operations.filter(
  ({ path, method }) => !/events/.test(path) && !/leader/.test(`${method}${path}`),
);
const described = fc
  .tuple(fc.constantFrom(...calm), fc.constantFrom('x', 'x/a', 'none', '%2Fx%2Fpod', '..', '%00'), anyQuery)
  .chain(([{ method, path, body }, name, query]) => {
    const url = path.replace(/\{\w+\}/g, name) + query;
    const sent =
      body === undefined ? fc.constant(undefined) : fc.oneof(fromApp, fromPod, group, fc.jsonValue());
    return sent.map((each) => ({
      method: method.toUpperCase(),
      path: url,
      ...(each === undefined ? {} : { body: each }),
    }));
  });

const requests = fc.oneof(
  described,
  fc.record({
    method: fc.constantFrom('POST', 'PUT'),
    path: fc
      .tuple(fc.constantFrom('/v2/apps', '/v2/apps/x/a', '/v2/apps/x/b'), query)
      .map(([at, q]) => at + q),
    body: fromApp,
  }),
  fc.record({
    method: fc.constantFrom('POST', 'PUT'),
    path: fc.tuple(fc.constantFrom('/v2/pods', '/v2/pods/x/pod'), query).map(([at, q]) => at + q),
    body: fromPod,
  }),
  fc.record({
    method: fc.constantFrom('POST', 'PUT', 'PATCH'),
    path: query.map((q) => `/v2/apps${q}`),
    body: spoiled,
  }),
  fc.record({
    method: fc.constantFrom('PUT', 'PATCH'),
    path: query.map((q) => `/v2/apps${q}`),
    body: fc.array(spoiled, { maxLength: 3 }),
  }),
  fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
    path: fc
      .tuple(fc.constantFrom('apps', 'groups', 'deployments', 'queue', 'tasks', 'info'), path, query)
      .map(([resource, rest, q]) => `/v2/${resource}${rest}${q}`),
    body: fc.oneof(spoiled, group, fc.jsonValue(), fc.constantFrom('', '{', '[1', '{"version":"v"}', 'null')),
  }),
  fc.record({
    method: fc.constantFrom('POST', 'PUT'),
    path: query.map((q) => `/v2/groups${q}`),
    body: group,
  }),
  fc.record({
    method: fc.constant('POST'),
    path: fc.constant('/v2/tasks/delete?scale=true'),
    body: fc.record({ ids: fc.array(fc.oneof(fc.string(), fc.constant('x.instance-1'), fc.jsonValue())) }),
  }),
) as fc.Arbitrary<Request>;

t.test('whatever is sent, there is no internal error, and what is refused changes nothing', async (t) => {
  const { api } = await startMaster(t);
  const seen = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(requests, async ({ method, path, body }) => {
      const full = (await api.wanted()).root.length > 100_000;
      if (full) await api.must('DELETE', '/v2/groups?force=true');
      const before = await api.wanted();
      const answer = await api.call(method, path, method === 'GET' || body === undefined ? {} : { body });
      seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
      if (answer.status >= 500) throw new Error(`${answer.status} ${answer.text}`);
      if (answer.status < 400) return;
      if (typeof (answer.body as { message?: unknown } | undefined)?.message !== 'string')
        throw new Error(`an error without a message: ${answer.text}`);
      const after = await api.wanted();
      if (after.root !== before.root || !after.deployments.isSubsetOf(before.deployments))
        throw new Error(`${answer.status}, yet something changed`);
    }),
    { numRuns: Number(process.env['WEIR_RUNS'] ?? 500), endOnFailure: true },
  );
  t.comment(Object.fromEntries(seen));
  t.ok((seen.get(200) ?? 0) + (seen.get(201) ?? 0) > 20, 'some were right');
  t.ok((seen.get(422) ?? 0) > 50, 'many were wrong');
});

/** The value put in one of the places inside, or in place of all. */
function spoil(value: unknown, choice: number, wrong: unknown): unknown {
  if (typeof value !== 'object' || value === null) return wrong;
  const entries = Object.entries(value);
  const [key, inner] = entries[choice % (entries.length + 1)] ?? [];
  if (key === undefined) return choice % 7 === 0 ? wrong : value;
  const changed = spoil(inner, Math.floor(choice / (entries.length + 1)), wrong);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? changed : item));
  return { ...value, [key]: changed };
}
