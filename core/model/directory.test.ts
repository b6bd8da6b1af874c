import fc from 'fast-check';
import t from 'tap';
import {
  applyDelta,
  backendsOf,
  type Directory,
  type DirectoryDelta,
  deltaBetween,
  type Endpoint,
  emptyDirectory,
  joinDeltas,
  keepingKeys,
  snapshotDelta,
  takesPart,
  withoutDraining,
  withoutEdgeParts,
  withoutKeys,
} from './directory.ts';

function endpoint(n: number, appId: string, ready = true): Endpoint {
  return {
    instanceId: `i${n}`,
    taskId: `i${n}._app.1`,
    appId,
    agentId: 'h1',
    agentAddress: '192.0.2.1',
    addresses: [],
    ports: [
      { index: 0, protocols: ['tcp'], address: '192.0.2.1', port: 31_000 + n, scope: 'host', labels: {} },
    ],
    ready,
  };
}

const someEndpoint = fc
  .tuple(fc.nat({ max: 6 }), fc.constantFrom('/a', '/b'), fc.boolean())
  .map(([n, app, ready]) => endpoint(n, app, ready));
const step = fc.record({
  set: fc.uniqueArray(someEndpoint, { selector: (one) => one.instanceId, maxLength: 4 }),
  gone: fc.uniqueArray(
    fc.nat({ max: 6 }).map((n) => `i${n}`),
    { maxLength: 3 },
  ),
});

function replay(steps: readonly NonNullable<DirectoryDelta['endpoints']>[]): readonly Directory[] {
  const history: Directory[] = [emptyDirectory];
  for (const endpoints of steps) {
    const before = history.at(-1)!;
    // From 1 on: a delta from 0 replaces everything.
    history.push(
      applyDelta(before, { from: before.revision || -1, revision: before.revision + 1, endpoints }),
    );
  }
  return history;
}

t.test('the index by app always says what the endpoints say', async () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const last = replay(steps).at(-1)!;
      const sorted = [...last.endpoints.values()].sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
      const groups = Map.groupBy(sorted, (one) => one.appId);
      return JSON.stringify([...groups].sort()) === JSON.stringify([...last.byApp].sort());
    }),
  );
});

t.test('the difference between any two Directories leads from one to the other', async () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), fc.nat(), (steps, n) => {
      const history = replay(steps);
      const [before, after] = [history[n % history.length]!, history.at(-1)!];
      const delta = deltaBetween(before, after);
      const reached = delta === undefined ? before : applyDelta(before, { ...delta, from: -1 });
      return JSON.stringify([...reached.endpoints].sort()) === JSON.stringify([...after.endpoints].sort());
    }),
  );
});

t.test('a snapshot replaces whatever was held', async (t) => {
  const held = replay([{ set: [endpoint(1, '/a'), endpoint(2, '/b')], gone: [] }]).at(-1)!;
  const other = replay([{ set: [endpoint(3, '/a')], gone: [] }]).at(-1)!;
  t.same(applyDelta(held, snapshotDelta(other)), other);
});

t.test('backends are the ready endpoints of each service that have the port', async (t) => {
  const set = [endpoint(1, '/a'), endpoint(2, '/a', false), endpoint(3, '/b')];
  const directory = replay([{ set, gone: [] }]).at(-1)!;
  const backends = backendsOf(directory, [
    { appId: '/a', portIndex: 0 },
    { appId: '/b', portIndex: 0 },
    { appId: '/b', portIndex: 7 },
  ]);
  t.same(
    backends.map((backend) => backend.instanceId),
    ['i1', 'i3'],
  );
});

t.test('deltas joined into one lead to where they lead one after the other', (t) => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 4 }),
      fc.array(step, { minLength: 2, maxLength: 4 }),
      (earlier, list) => {
        const start = replay(earlier).at(-1) ?? emptyDirectory;
        const deltas = list.map((endpoints, n): DirectoryDelta => {
          const from = start.revision + n;
          return { from: from === 0 ? 1 : from, revision: from + 1, endpoints };
        });
        const end = deltas.reduce(applyDelta, start);
        const joined = applyDelta(start, deltas.reduce(joinDeltas));
        const sorted = ({ endpoints }: Directory) =>
          JSON.stringify([...endpoints].sort(([a], [b]) => (a < b ? -1 : 1)));
        return joined.revision === end.revision && sorted(joined) === sorted(end);
      },
    ),
  );
  t.end();
});

t.test('certificates come with snapshot and delta, and not to machines without an edge', async (t) => {
  const given = { name: 'a', chain: 'C', key: 'K', hosts: ['a.test'], notBefore: 0, notAfter: 1 };
  const added = { from: 1, revision: 2, certificates: { set: [given], gone: [] } };
  const after = applyDelta({ ...emptyDirectory, revision: 1 }, added);
  t.same(after.certificates, new Map([['a', given]]));
  t.same(applyDelta(emptyDirectory, snapshotDelta(after)), after);
  t.same(deltaBetween({ ...after, certificates: new Map() }, after)?.certificates, added.certificates);
  t.same(withoutEdgeParts(added), { from: 1, revision: 2 });
});

t.test('an agent of before is told of endpoints that drain as gone', async (t) => {
  const [one, two] = ['web.1', 'web.2'].map((instanceId) => ({ ...endpoint(1, '/web'), instanceId }));
  const draining = { ...two!, ready: false, draining: { until: 9 } };
  const change = { from: 1, revision: 2, endpoints: { set: [one!, draining], gone: ['web.0'] } };
  t.same(withoutDraining(change), {
    from: 1,
    revision: 2,
    endpoints: { set: [one], gone: ['web.0', 'web.2'] },
  });
  t.same(withoutDraining({ ...change, from: 0 }).endpoints, { set: [one], gone: ['web.0'] });
  const after = applyDelta(emptyDirectory, { ...change, from: 0 });
  t.same(
    ['web.1', 'web.2', 'web.3'].map((id) => takesPart(after, id)),
    [true, false, false],
  );
});

t.test('an edge that is told no keys goes on with those it has', async (t) => {
  const shop = { name: 'shop', chain: 'c', key: 'k', hosts: ['shop.test'], notBefore: 0, notAfter: 1 };
  const before = applyDelta(emptyDirectory, {
    ...{ from: 0, revision: 1, certificates: { set: [shop], gone: [] } },
  });
  const whole = withoutKeys({ from: 0, revision: 2, certificates: { set: [], gone: [] } });
  t.same([...applyDelta(before, keepingKeys(whole, before)).certificates.keys()], ['shop']);
  const change = withoutKeys({ from: 1, revision: 2, certificates: { set: [], gone: ['shop'] } });
  t.same([...applyDelta(before, keepingKeys(change, before)).certificates.keys()], ['shop']);
});
