import fc from 'fast-check';
import t from 'tap';
import { PersistentMap } from './persistent-map.ts';

const key = fc.constantFrom('', 'a', 'b', 'shop.test', '*.shop.test', 'x'.repeat(40));
const change = fc.tuple(key, fc.option(fc.nat(3), { nil: undefined }));
const steps = fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 8 });

t.test(
  'a persistent map says what a map says after the same changes, and the old one stays as it was',
  async () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const plain = new Map<string, number>();
        let map = PersistentMap.empty<number>();
        for (const changes of steps) {
          const before = new Map(map);
          const draft = map.edit();
          for (const [key, value] of changes) {
            if (value === undefined) {
              draft.delete(key);
              plain.delete(key);
            } else {
              draft.set(key, value);
              plain.set(key, value);
            }
          }
          const next = draft.done();
          if (!same(new Map(next), plain) || next.size !== plain.size || !same(new Map(map), before))
            return false;
          map = next;
        }
        return true;
      }),
    );
  },
);

t.test('differences of two persistent maps are the keys whose values differ', async () => {
  const entries = fc.array(fc.tuple(key, fc.nat(2)));
  fc.assert(
    fc.property(entries, entries, (a, b) => {
      const [one, two] = [new Map(a), new Map(b)];
      const differing = [...new Set([...one.keys(), ...two.keys()])].filter((k) => one.get(k) !== two.get(k));
      const found = PersistentMap.of(one).differences(PersistentMap.of(two));
      return same(new Set(found), new Set(differing)) && found.length === differing.length;
    }),
  );
});

t.test('a persistent map holds many thousand keys', async (t) => {
  const map = PersistentMap.of(Array.from({ length: 20_000 }, (_, n) => [`h${n}.test`, n] as const));
  t.equal(map.size, 20_000);
  for (let n = 0; n < 20_000; n += 7) if (map.get(`h${n}.test`) !== n) t.fail(`h${n}`);
  t.notOk(map.has('h20000.test'));
});

function same(a: Iterable<unknown>, b: Iterable<unknown>): boolean {
  const text = (all: Iterable<unknown>) =>
    JSON.stringify([...all].map((item) => JSON.stringify(item)).sort());
  return text(a) === text(b);
}
