import assert from 'node:assert/strict';
import type { ResourceRecord } from '../wire/types.ts';
import type { Zone } from '../zone.ts';

/** Every record of a zone: as lists have it, which is what questions get. */
export function allRecords({ store }: Zone): readonly ResourceRecord[] {
  const names = [...store.names()];
  const listed = names.map((name) => store.listed(name));
  const asked = names.map((name) => store.sets(name).flatMap(({ records }) => records));
  assert.deepEqual(listed, asked);
  return listed.flat();
}
