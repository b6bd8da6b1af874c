import t from 'tap';
import { testApp } from '../state/testing/apps.ts';
import { dependencyGraph } from './dependencies.ts';
import type { GroupSettings } from './group.ts';

function graph(apps: Record<string, readonly string[]>, groups: Record<string, GroupSettings> = {}) {
  const root = new Map(Object.entries(apps).map(([id, dependencies]) => [id, testApp(id, { dependencies })]));
  const below = dependencyGraph(root, new Map(Object.entries(groups)));
  return (id: string) => below?.(root.get(id)!).map((app) => app.id);
}

t.test('apps depend on apps, and on everything in a group', async (t) => {
  const below = graph({
    '/web': ['/data', '/api'],
    '/api': [],
    '/data/pg': [],
    '/data/in/kv': [],
    '/datax': [],
  });
  t.same(below('/web'), ['/data/pg', '/data/in/kv', '/api']);
  t.same(below('/api'), []);
});

t.test('what a group depends on, everything in it depends on', async (t) => {
  const below = graph(
    { '/shop/web': ['/shop/in/x'], '/shop/in/x': [], '/data/pg': [], '/other': [] },
    { '/shop': { dependencies: ['/data', '/none'] }, '/shop/in': { dependencies: ['/other', '/data'] } },
  );
  t.same(below('/shop/web'), ['/shop/in/x', '/data/pg']);
  t.same(below('/shop/in/x'), ['/other', '/data/pg']);
  t.same(below('/data/pg'), []);
});

t.test('where nothing depends on anything there is no graph', async (t) => {
  t.equal(graph({ '/a': [], '/g/b': [] }, { '/g': {} })('/a'), undefined);
});
