import { isDeepStrictEqual } from 'node:util';
import { applyDelta, type Directory, type DirectoryDelta } from '../../../core/model/directory.ts';

/**
 * The Directory after a delta, in which everything that says the same as before is the identical value: who compares the two finds what
 * really changed, also after a whole snapshot.
 */
export function followed(before: Directory, delta: DirectoryDelta): Directory {
  return applyDelta(before, {
    ...delta,
    ...kept('agents', before, delta, ({ id }) => id),
    ...kept('endpoints', before, delta, ({ instanceId }) => instanceId),
    ...kept('vips', before, delta, ({ key }) => key),
    ...kept('routes', before, delta, ({ id }) => id),
    ...kept('listeners', before, delta, ({ id }) => id),
    ...kept('certificates', before, delta, ({ name }) => name),
    ...kept('challenges', before, delta, ({ key }) => key),
    ...kept('serverSets', before, delta, ({ key }) => key),
  });
}

type Tables = Omit<DirectoryDelta, 'from' | 'revision' | 'store'>;
type Item<K extends keyof Tables> = NonNullable<Tables[K]>['set'][number];

function kept<K extends keyof Tables>(
  name: K,
  before: Directory,
  delta: DirectoryDelta,
  keyOf: (item: Item<K>) => string,
) {
  const changes = delta[name];
  if (changes === undefined) return {};
  const known: ReadonlyMap<string, unknown> = before[name];
  const set = changes.set.map((item) => {
    const old = known.get(keyOf(item as Item<K>));
    return old !== undefined && isDeepStrictEqual(old, item) ? old : item;
  });
  return { [name]: { ...changes, set } };
}
