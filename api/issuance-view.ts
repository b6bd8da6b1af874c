import { timestamp } from '../core/kit/clock.ts';
import { renewsAt } from '../core/model/issuance.ts';
import type { Snapshot } from '../core/state/snapshot.ts';

/** How far the issuance of this name is, without its keys; undefined: there is none. */
export function issuanceView(snapshot: Snapshot, name: string) {
  const issuance = snapshot.table('issuances').get(name);
  if (issuance === undefined) return undefined;
  const order = snapshot.table('orders').get(name);
  const certificate = snapshot.table('certificates').get(name);
  const { hosts, challenge, authority, preflight } = issuance;
  const { lastFailure, nextTryAt, issuedAt } = order ?? {};
  return {
    ...{ name, hosts, challenge, authority, preflight, state: stateOf(snapshot, name) },
    ...(issuedAt === undefined ? {} : { issuedAt: timestamp(issuedAt) }),
    ...(certificate && { issuedUntil: timestamp(certificate.notAfter) }),
    ...(certificate && { renewsAt: timestamp(renewsAt(order, certificate)) }),
    failures: order?.failures ?? 0,
    ...(lastFailure && { lastFailure: { ...lastFailure, at: timestamp(lastFailure.at) } }),
    ...(nextTryAt === undefined ? {} : { nextTryAt: timestamp(nextTryAt) }),
  };
}

/** What is being done; else `failed` (it is tried again), `issued`, or `waiting` for its turn. */
function stateOf(snapshot: Snapshot, name: string): string {
  const { step, lastFailure, issuedAt = 0 } = snapshot.table('orders').get(name) ?? {};
  const { requestedAt = 0 } = snapshot.table('issuances').get(name) ?? {};
  if (step !== undefined) return step;
  if (lastFailure !== undefined && lastFailure.at >= requestedAt) return 'failed';
  return issuedAt >= requestedAt ? 'issued' : 'waiting';
}
