import t from 'tap';
import { wholeMatcher } from './pattern.ts';

t.test('a pattern matches the whole text or not at all', async (t) => {
  const matches = wholeMatcher('node-1|node-2[0-9]');
  t.same(
    ['node-1', 'node-10', 'xnode-1', 'node-25'].map((text) => matches?.(text)),
    [true, false, false, true],
  );
  t.equal(wholeMatcher('(?i)Rack-A')?.('rack-a'), true, 'Java’s way of ignoring case');
  t.equal(wholeMatcher('(?!bad).*')?.('good'), true, 'what needs going back');
  t.equal(wholeMatcher('(?!bad).*')?.('bad one'), false);
  t.equal(wholeMatcher('['), undefined);
});

t.test('a pattern made to take for ever does not', async (t) => {
  const matches = wholeMatcher('(a+)+b');
  const began = performance.now();
  t.equal(matches?.('a'.repeat(60)), false);
  t.ok(performance.now() - began < 1_000);
});
