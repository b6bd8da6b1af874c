import fc from 'fast-check';
import t from 'tap';
import { arbitraryApp } from './testing/arbitrary-app.ts';
import { startMaster } from './testing/master.ts';

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

const requests = fc.oneof(
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
    { numRuns: 400, endOnFailure: true },
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
