import type { Store } from './store.ts';

const [table, key] = ['meta', 'store'] as const;

/**
 * Gives the store a name of its own, once: a store that was wiped counts its revisions from the start again, and whoever
 * holds one of before must notice. `made` is taken unless it has one.
 */
export async function nameStore(store: Store, made: string): Promise<void> {
  if ((await storeId(store)) !== undefined) return;
  // Another master that was first is as good.
  await store.commit([{ kind: 'put', table, key, value: made, expect: 0 }]);
}

/** Undefined: it was not named yet. */
export async function storeId(store: Store): Promise<string | undefined> {
  const record = await store.get(table, key);
  return typeof record?.value === 'string' ? record.value : undefined;
}
