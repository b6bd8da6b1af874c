import t from 'tap';
import { FakeClock } from '../core/kit/fake-clock.ts';
import { silentLog } from '../core/kit/log.ts';
import {
  applyDelta,
  type Directory,
  type DirectoryDelta,
  type Endpoint,
  emptyDirectory,
} from '../core/model/directory.ts';
import { ReachableNames } from './reachable-names.ts';
import { containerEndpoint, port, snapshot } from './testing/directory.ts';

const at = (n: number, app = '/web', parts: Partial<Endpoint> = {}): Endpoint =>
  containerEndpoint(app, `${app.slice(1)}-${n}`, {
    addresses: [{ network: 'weir', ip: `100.64.1.${n}` }],
    ports: [port({ address: `100.64.1.${n}`, port: 80 })],
    ...parts,
  });
const place = (n: number) => `tcp:100.64.1.${n}:80`;

/** A resolver that only takes what it is given, by deltas where there are any. */
function names() {
  let held: Directory = emptyDirectory;
  const deltas: (DirectoryDelta | undefined)[] = [];
  return {
    name: 'dns',
    async apply(directory: Directory, delta: DirectoryDelta | undefined) {
      deltas.push(delta);
      held = delta === undefined ? directory : applyDelta(held, delta);
      return directory.revision;
    },
    deltas,
    ready: () =>
      [...held.endpoints.values()]
        .filter((endpoint) => endpoint.ready)
        .map(({ addresses }) => Number(addresses[0]?.ip.split('.').at(-1)))
        .sort((a, b) => a - b),
  };
}

function setUp(...endpoints: readonly Endpoint[]) {
  const failing = new Set<string>();
  const inner = names();
  const clock = new FakeClock();
  const reachable = new ReachableNames(inner, { failing: () => new Set(failing), clock, log: silentLog });
  const directory = applyDelta(emptyDirectory, snapshot(1, { endpoints }));
  return { failing, inner, clock, reachable, directory };
}

t.test('names leave out an instance that connections fail to, and take it back', async (t) => {
  const { failing, inner, clock, reachable, directory } = setUp(at(1), at(2), at(3, '/api'));
  await reachable.apply(directory, undefined);
  await reachable.start();
  t.teardown(() => reachable.stop());
  t.same(inner.ready(), [1, 2, 3]);
  failing.add(place(2));
  await clock.advance(100);
  t.same(inner.ready(), [1, 3]);
  t.equal(inner.deltas.at(-1)?.endpoints?.set.length, 1, 'nothing else was written');
  failing.clear();
  await clock.advance(100);
  t.same(inner.ready(), [1, 2, 3]);
});

t.test('names never leave out all ready instances of an app', async (t) => {
  const sick = at(4, '/web', { ready: false });
  const { failing, inner, reachable, directory } = setUp(at(1), at(2), sick, at(3, '/api'));
  for (const n of [1, 2, 3]) failing.add(place(n));
  await reachable.apply(directory, undefined);
  t.same(inner.ready(), [1, 2, 3]);
  failing.delete(place(1));
  await reachable.apply(directory, { from: 1, revision: 1 });
  t.same(inner.ready(), [1, 3]);
});

t.test('an instance that is left out stays so over revisions, and a gone one is gone', async (t) => {
  const { failing, inner, reachable, directory } = setUp(at(1), at(2));
  const follow = async (from: Directory, delta: DirectoryDelta) => {
    const next = applyDelta(from, delta);
    await reachable.apply(next, delta);
    return next;
  };
  await reachable.apply(directory, undefined);
  failing.add(place(2));
  const second = await follow(directory, { from: 1, revision: 2, endpoints: { set: [at(5)], gone: [] } });
  t.same(inner.ready(), [1, 5]);
  const third = await follow(second, { from: 2, revision: 3, endpoints: { set: [at(2)], gone: [] } });
  t.same(inner.ready(), [1, 5]);
  await follow(third, { from: 3, revision: 4, endpoints: { set: [], gone: [at(2).instanceId] } });
  t.same(inner.ready(), [1, 5]);
  await follow(third, { from: 3, revision: 4, endpoints: { set: [], gone: [at(1).instanceId] } });
  failing.clear();
  await reachable.apply(third, undefined);
  t.same(inner.ready(), [1, 2, 5]);
});

t.test('names leave out by address and port, not by address alone', async (t) => {
  const ports = (number: number) => ({ ports: [port({ address: '100.64.1.2', port: number })] });
  const { failing, inner, reachable, directory } = setUp(
    at(1),
    at(2, '/web', ports(81)),
    at(3, '/api'),
    at(4, '/api'),
  );
  failing.add(place(2));
  failing.add(place(4));
  await reachable.apply(directory, undefined);
  t.same(inner.ready(), [1, 2, 3]);
});
