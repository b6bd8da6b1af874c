import fc from 'fast-check';
import t from 'tap';
import { changedMap } from './layered-map.ts';

const key = fc.integer({ min: 0, max: 3_000 }).map(String);
const change = fc.record({ gone: fc.array(key), set: fc.array(fc.tuple(key, fc.integer())) });

t.test('a large map with changes holds what a copy with them would hold', (t) => {
  const base = new Map(Array.from({ length: 2_000 }, (_, n) => [String(n), n]));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), (list) => {
      let layered: ReadonlyMap<string, number> = base;
      const copy = new Map(base);
      for (const { gone, set } of list) {
        layered = changedMap(layered, gone, set);
        for (const one of gone) copy.delete(one);
        for (const [one, item] of set) copy.set(one, item);
      }
      const byKey = ([a]: readonly [string, number], [b]: readonly [string, number]) => (a < b ? -1 : 1);
      if (layered.size !== copy.size) return false;
      if ([...copy].some(([one, item]) => layered.get(one) !== item || !layered.has(one))) return false;
      return JSON.stringify([...layered].sort(byKey)) === JSON.stringify([...copy].sort(byKey));
    }),
  );
  t.end();
});

t.test('a map that is changed stays as it was', (t) => {
  const base = new Map(Array.from({ length: 2_000 }, (_, n) => [String(n), n]));
  const first = changedMap(base, ['1'], [['new', 1]]);
  const second = changedMap(first, ['new'], [['1', 7]]);
  t.same([base.get('1'), base.has('new'), base.size], [1, false, 2_000]);
  t.same([first.get('1'), first.has('new'), first.size], [undefined, true, 2_000]);
  t.same([second.get('1'), second.has('new'), second.size], [7, false, 2_000]);
  t.end();
});
