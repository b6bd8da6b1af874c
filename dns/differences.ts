import { isDeepStrictEqual } from 'node:util';
import type { DirectoryDelta } from '../core/model/directory.ts';

type Table<T> = {
  readonly keys: () => Iterable<string>;
  readonly held: (key: string) => T | undefined;
};

type Item<K extends 'agents' | 'endpoints' | 'vips'> = NonNullable<DirectoryDelta[K]>['set'][number];

/** What is held of each table that names are made of. */
export type HeldTables = { readonly [K in 'agents' | 'endpoints' | 'vips']: Table<Item<K>> };

type Changed = Pick<DirectoryDelta, 'agents' | 'endpoints' | 'vips'>;

/** What a snapshot changes of what is held, found in small steps. What the records may not say counts as not held. */
export function* snapshotChanges(
  { agents, endpoints, vips }: DirectoryDelta,
  held: HeldTables,
): Generator<void, Changed> {
  return {
    agents: yield* differences(agents?.set, held.agents, (agent) => agent.id),
    endpoints: yield* differences(endpoints?.set, held.endpoints, (endpoint) => endpoint.instanceId),
    vips: yield* differences(vips?.set, held.vips, (vip) => vip.key),
  };
}

function* differences<T>(
  wanted: readonly T[] = [],
  { keys, held }: Table<T>,
  keyOf: (item: T) => string,
): Generator<void, { set: readonly T[]; gone: readonly string[] }> {
  const set: T[] = [];
  const stay = new Set<string>();
  for (const item of wanted) {
    const key = keyOf(item);
    stay.add(key);
    if (!isDeepStrictEqual(held(key), item)) set.push(item);
    yield;
  }
  return { set, gone: [...keys()].filter((key) => !stay.has(key)) };
}
