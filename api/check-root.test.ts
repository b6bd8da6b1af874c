import t from 'tap';
import { testApp } from '../core/state/testing/apps.ts';
import { checkRoot } from './check-root.ts';
import { Problem } from './problem.ts';

type Tap = typeof t;

const cycle = /cyclic/;
const same = /same identifier/;

function check(
  apps: Readonly<Record<string, readonly string[]>>,
  changed: readonly string[] = [],
  groups: readonly string[] = [],
) {
  const root = new Map(Object.entries(apps).map(([id, dependencies]) => [id, testApp(id, { dependencies })]));
  checkRoot(root, changed, new Map(groups.map((id) => [id, {}])));
}

function refused(t: Pick<Tap, 'throws' | 'match'>, text: RegExp, work: () => void): void {
  const error = t.throws(work, Problem);
  t.match(error, { status: 422, body: { details: [{ path: '/', errors: [text] }] } });
}

t.test('dependencies may form any shape but a ring', async (t) => {
  check({ '/a': ['/b', '/c'], '/b': ['/d'], '/c': ['/d'], '/d': [] });
  check({ '/a': ['/nobody'] });
  check({ '/g/a': [], '/g/b': [], '/c': ['/g'], '/d': ['/c', '/g/a'] });
  refused(t, cycle, () => check({ '/a': ['/a'] }));
  refused(t, cycle, () => check({ '/a': ['/b'], '/b': ['/c'], '/c': ['/a'] }));
  refused(t, cycle, () => check({ '/g/a': ['/b'], '/b': ['/g'] }));
  refused(t, cycle, () => check({ '/g/a': ['/g'] }));
});

t.test('a long chain of dependencies is no matter', async () => {
  const chain = Array.from({ length: 3_000 }, (_, n) => [`/a${n}`, n === 0 ? [] : [`/a${n - 1}`]] as const);
  check(Object.fromEntries(chain));
  check(Object.fromEntries(chain.toReversed()));
});

t.test('an app and a group never have the same identifier', async (t) => {
  check({ '/a': [], '/b/c': [] }, ['/a', '/b/c'], ['/b', '/e']);
  refused(t, same, () => check({ '/a': [], '/a/b': [] }, ['/a']));
  refused(t, same, () => check({ '/a': [], '/a/b': [] }, ['/a/b']));
  refused(t, same, () => check({ '/a': [] }, ['/a'], ['/a/b']));
  refused(t, same, () => check({ '/a': [] }, [], ['/a']));
  check({ '/a': [], '/a/b': [], '/c': [] }, ['/c']);
  t.pass('a clash that is there already does not keep others from changing');
});
