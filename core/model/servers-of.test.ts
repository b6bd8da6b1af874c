import t from 'tap';
import { applyDelta, type Directory, type Endpoint, emptyDirectory } from './directory.ts';
import type { AppSwap, ServerSet } from './server-set.ts';
import { membersOf, serversOf } from './servers-of.ts';

const like = () => () => false;

function endpoints(app: string, count: number, unready = 0): readonly Endpoint[] {
  return Array.from({ length: count }, (_, n) => ({
    ...{
      instanceId: `${app}.${n}`,
      taskId: `${app}.${n}`,
      appId: app,
      agentId: 'a',
      agentAddress: '10.0.0.1',
    },
    addresses: [],
    ports: [
      {
        ...({ index: 0, protocols: ['tcp'], address: '10.0.0.1', scope: 'host', labels: {} } as const),
        port: (app === '/old' ? 31_000 : 32_000) + n,
      },
    ],
    ready: n >= unready,
  }));
}

function directory(...all: readonly (readonly Endpoint[])[]): Directory {
  return applyDelta(emptyDirectory, { from: 0, revision: 1, endpoints: { set: all.flat(), gone: [] } });
}

function set(swap: Partial<AppSwap>): ServerSet {
  const source = (appId: string) => ({ appId, ports: { by: 'index', index: 0 }, via: 'auto' }) as const;
  return {
    key: 'pair:/x:0',
    sources: [source('/old'), source('/new')],
    swap: { old: '/old', oldInstances: 4, new: '/new', target: 4, ...swap },
  };
}

/** How many of the old app's get nothing new. */
function leaving(found: Directory, swap: Partial<AppSwap> = {}): readonly string[] {
  const members = membersOf(found, set(swap), like);
  return members.filter(({ state }) => state === 'leaving').map(({ instanceId }) => instanceId);
}

t.test('of the old app as many tasks leave as the new one has ready, the first by their ids', async (t) => {
  t.same(leaving(directory(endpoints('/old', 4), endpoints('/new', 1))), ['/old.0']);
  t.same(leaving(directory(endpoints('/old', 4), endpoints('/new', 2))), ['/old.0', '/old.1']);
  t.same(leaving(directory(endpoints('/old', 4), endpoints('/new', 2, 1))), ['/old.0'], 'one is not ready');
  t.same(leaving(directory(endpoints('/old', 4))), []);
});

t.test('never so many leave that less than the target is left', async (t) => {
  t.same(leaving(directory(endpoints('/old', 3), endpoints('/new', 1)), { oldInstances: 3 }), []);
  t.same(leaving(directory(endpoints('/old', 3), endpoints('/new', 2)), { oldInstances: 3 }), ['/old.0']);
  t.equal(
    leaving(directory(endpoints('/old', 2), endpoints('/new', 8))).length,
    2,
    'not more than there are',
  );
});

t.test('whoever leaves gets nothing new, and whoever is not ready neither', async (t) => {
  const found = directory(endpoints('/old', 2, 1), endpoints('/new', 1));
  t.same(
    membersOf(found, set({ oldInstances: 4 }), like).map(({ instanceId, state }) => [instanceId, state]),
    [
      ['/old.0', 'leaving'],
      ['/old.1', 'up'],
      ['/new.0', 'up'],
    ],
  );
  t.same(
    serversOf(found, set({ target: 9 }), like).map(({ instanceId }) => instanceId),
    ['/old.1', '/new.0'],
  );
});
