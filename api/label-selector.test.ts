import t from 'tap';
import { labelSelector } from './label-selector.ts';
import { Problem } from './problem.ts';

const labels = { tier: 'web', team: 'red', deprecated: '', 'a,b': 'x(1)' };

t.test('a label selector takes what all its terms hold for', async (t) => {
  const holds = [
    'tier',
    'deprecated',
    'tier==web',
    'tier == web',
    'tier!=db',
    'team in (red, blue)',
    'team in ( red )',
    'team notin (green,blue)',
    'tier==web,team in (red,blue),deprecated',
    ' tier , team ',
    String.raw`a\,b`,
    String.raw`a\,b==x\(1\)`,
  ];
  for (const text of holds) t.ok(labelSelector(text)(labels), text);
});

t.test('a label selector leaves out what one of its terms does not hold for', async (t) => {
  const fails = [
    'missing',
    'tier==db',
    'tier!=web',
    'team in (green,blue)',
    'team notin (red)',
    'tier==web,missing',
    'missing!=web',
    'missing notin (a)',
  ];
  for (const text of fails) t.notOk(labelSelector(text)(labels), text);
});

t.test('names of every object’s own things are no labels', async (t) => {
  for (const text of ['constructor', 'toString', '__proto__', 'constructor!=a', 'toString notin (a)'])
    t.notOk(labelSelector(text)(labels), text);
});

t.test('a label selector that cannot be read is refused', async (t) => {
  for (const text of ['', 'a==', '==b', 'a=b', 'a in b', 'a in ()', 'a,,b', 'a in (b', 'a b', 'a in (b) c']) {
    const error = t.throws(() => labelSelector(text), Problem, `'${text}'`);
    t.match(error, { status: 422 });
  }
});
