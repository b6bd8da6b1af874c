import t from 'tap';
import type { DirectoryDelta } from '../core/model/directory.ts';
import { joined, parsePart, partsOf, withoutParts } from './delta-parts.ts';
import { agent, containerEndpoint, snapshot, vip } from './testing/directory.ts';

const many = snapshot(7, {
  agents: [agent('a-S1', '100.64.255.1')],
  endpoints: Array.from({ length: 300 }, (_, i) => containerEndpoint('/web', `i${i}`)),
  vips: Array.from({ length: 65 }, (_, i) => vip('/web', [`v${i}.weir`])),
});

t.test('a large delta comes in pieces and is the same again', async (t) => {
  const parts = [...partsOf(many)].map(parsePart);
  t.ok(parts.length > 6);
  t.ok(parts.every(({ set }) => set.length <= 64));
  const { routes: _, ...ours } = many;
  t.same(joined(withoutParts(many), parts), ours);
  const gone: DirectoryDelta = {
    from: 1,
    revision: 2,
    endpoints: { set: [], gone: Array.from({ length: 200 }, (_, i) => `web.instance-${i}`) },
  };
  t.same(joined(withoutParts(gone), [...partsOf(gone)].map(parsePart)).endpoints, gone.endpoints);
});

t.test('a small delta comes as it is', async (t) => {
  const small = snapshot(7, { agents: [agent('a-S1', '100.64.255.1')] });
  t.same([...partsOf(small)], []);
  t.same(joined(small, []), small);
});

t.test('pieces of a revision that was never finished do not count', async (t) => {
  const old = [...partsOf({ ...many, revision: 6 })].map(parsePart);
  t.same(joined(withoutParts(many), old), withoutParts(many));
});
