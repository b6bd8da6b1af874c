import fc from 'fast-check';
import t from 'tap';
import { applyDelta, type Directory, deltaBetween, emptyDirectory } from '../../../core/model/directory.ts';
import { endpoint, route } from '../testing/peers.ts';
import { matchPath } from './match.ts';
import { buildTable, type RouteTable, updateTable } from './route-table.ts';
import { TableKeeper } from './table-keeper.ts';

const hosts = ['a.test', 'b.a.test', '*.a.test', '*.b.a.test', '*.test', '*', 'c.test'];
const prefixes = ['/', '/api', '/api/', '/api/v1', '/x'];
const anyRoute = fc
  .record({
    id: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6'),
    host: fc.constantFrom(...hosts),
    pathPrefix: fc.constantFrom(...prefixes),
    app: fc.constantFrom('/a', '/b'),
  })
  .map(({ id, host, pathPrefix, app }) => route({ id, host, pathPrefix, app }));
const anyEndpoint = fc
  .record({
    app: fc.constantFrom('/a', '/b'),
    n: fc.nat(3),
    port: fc.constantFrom(80, 81),
    ready: fc.boolean(),
  })
  .map(({ app, n, port, ready }) => endpoint({ app, id: `${app}${n}`, port, ready }));
const anyDirectory = fc
  .record({ routes: fc.array(anyRoute), endpoints: fc.array(anyEndpoint) })
  .map(({ routes, endpoints }) => ({ routes, endpoints }));

t.test('a table made step by step equals the table made at once', async (t) => {
  fc.assert(
    fc.property(fc.array(anyDirectory, { minLength: 1, maxLength: 6 }), (steps) => {
      let directory: Directory = emptyDirectory;
      let table = buildTable(directory);
      const keeper = new TableKeeper();
      for (const [index, { routes, endpoints }] of steps.entries()) {
        const set = { endpoints: { set: endpoints, gone: [] }, routes: { set: routes, gone: [] } };
        const whole = applyDelta(emptyDirectory, { from: 0, revision: index + 1, ...set });
        const delta = deltaBetween(directory, whole) ?? { from: directory.revision, revision: index + 1 };
        const next = applyDelta(directory, delta);
        table = updateTable(table, [directory, next], delta);
        directory = next;
        t.same(sorted(table), sorted(buildTable(directory)));
        t.same(sorted(keeper.apply(delta)), sorted(table));
      }
    }),
    { numRuns: 60 },
  );
});

t.test('a table keeps pools that did not change', async (t) => {
  const base = {
    from: 0,
    revision: 1,
    routes: { set: [route({ app: '/a' }), route({ app: '/b' })], gone: [] },
  };
  const set = [endpoint({ app: '/a' }), endpoint({ app: '/b' })];
  const before = applyDelta(emptyDirectory, { ...base, endpoints: { set, gone: [] } });
  const delta = { from: 1, revision: 2, endpoints: { set: [endpoint({ app: '/b', port: 99 })], gone: [] } };
  const table = buildTable(before);
  const next = updateTable(table, [before, applyDelta(before, delta)], delta);
  t.equal(next.pools.get('/a:0'), table.pools.get('/a:0'));
  t.match(next.pools.get('/b:0'), { endpoints: [{ port: 99 }] });
});

t.test('the route that matches is the most specific one, whatever the order of arrival', async () => {
  const path = fc.constantFrom('/', '/api', '/apix', '/api/', '/api/v1', '/api/v1/x', '/x/y', '/z');
  const host = fc.constantFrom('a.test', 'b.a.test', 'x.b.a.test', 'q.a.test', 'c.test', 'other.org', 'test');
  fc.assert(
    fc.property(
      fc.uniqueArray(anyRoute, { selector: (r) => r.id }),
      fc.nat(),
      host,
      path,
      (routes, turn, host, path) => {
        const shuffled = routes.map((_, i) => routes[(i + turn) % routes.length]!);
        const found = [routes, shuffled].map((list) => matchPath(tableOf(list), host, path)?.id);
        return found[0] === found[1] && found[0] === slowMatch(routes, host, path);
      },
    ),
    { numRuns: 2_000 },
  );
});

function tableOf(routes: ReturnType<typeof route>[]): RouteTable {
  const delta = { from: 0, revision: 1, routes: { set: routes, gone: [] } };
  return buildTable(applyDelta(emptyDirectory, delta));
}

/** The rule said in another way: filter, then sort by specificity. */
function slowMatch(routes: ReturnType<typeof route>[], host: string, path: string): string | undefined {
  const suits = routes.filter((r) => {
    const hostSuits =
      r.host === '*' || (r.host.startsWith('*.') ? host.endsWith(r.host.slice(1)) : host === r.host);
    const below = r.pathPrefix.endsWith('/') ? r.pathPrefix : `${r.pathPrefix}/`;
    return hostSuits && (path === r.pathPrefix || path.startsWith(below));
  });
  const rank = (host: string) => (host.startsWith('*') ? host.length : 1_000);
  return suits.sort(
    (a, b) =>
      rank(b.host) - rank(a.host) || b.pathPrefix.length - a.pathPrefix.length || (a.id < b.id ? -1 : 1),
  )[0]?.id;
}

function sorted(table: RouteTable) {
  const entries = <V>(map: Iterable<readonly [string, V]>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...table, hosts: entries(table.hosts), pools: entries(table.pools) };
}
