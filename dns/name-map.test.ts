import t from 'tap';
import { NameMap } from './name-map.ts';

t.test('a map by name holds what any map would, however many names there are', async (t) => {
  const [ours, any] = [new NameMap<number>(), new Map<string, number>()];
  for (let i = 0; i < 5_000; i++) {
    const name = i % 3 === 0 ? `app-${i}.weir` : `_http._tcp.app-${i}.shop.weir`;
    for (const map of [ours, any]) map.set(name, i);
  }
  for (const name of [...any.keys()].filter((_, i) => i % 2 === 0)) {
    ours.delete(name);
    any.delete(name);
  }
  t.equal(ours.size, any.size);
  t.same([...ours.keys()].sort(), [...any.keys()].sort());
  t.ok([...any].every(([name, value]) => ours.get(name) === value && ours.has(name)));
  t.notOk(ours.has('app-0.weir'));
  t.equal(ours.get(''), undefined);
});
