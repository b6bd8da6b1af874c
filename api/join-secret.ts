import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Store } from '../core/state/store.ts';

/** The field that an edge proves itself with; keys of certificates are told to nobody else. */
export const joinField = 'weir-join-secret';

const [table, key] = ['meta', 'join-secret'] as const;

/** The secret of this store, made once: masters that share the store share it. `made` is taken unless it has one. */
export async function keptJoinSecret(store: Store, made: string): Promise<string> {
  const known = await store.get(table, key);
  if (typeof known?.value === 'string') return known.value;
  await store.commit([{ kind: 'put', table, key, value: made, expect: 0 }]);
  const kept = await store.get(table, key);
  return typeof kept?.value === 'string' ? kept.value : made;
}

/** Whether a request comes from somebody who has the secret. */
export function knowsSecret({ headers }: Pick<IncomingMessage, 'headers'>, secret: string): boolean {
  const given = headers[joinField];
  // Digests are of one length, so that the comparison tells nothing of the secret.
  return typeof given === 'string' && timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
