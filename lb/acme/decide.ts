import type { Certificate } from '../../core/model/certificate.ts';
import { type CertificateOrder, type Issuance, renewsAt } from '../../core/model/issuance.ts';
import { AuthorityRefused, AuthorityUnreachable } from './failures.ts';

export type Known = {
  readonly issuance: Issuance;
  readonly order: CertificateOrder | undefined;
  readonly certificate: Certificate | undefined;
};

/** `until`: ms since the epoch. */
export type Next =
  | { readonly kind: 'rest'; readonly until: number; readonly why: 'failed' | 'current' }
  | { readonly kind: 'work'; readonly why: 'resume' | 'first' | 'asked' | 'hosts' | 'renewal' };

/** What is to be done about an issuance now. */
export function nextFor({ issuance, order, certificate }: Known, now: number): Next {
  const { nextTryAt, lastFailure } = order ?? {};
  const isAskedAnew = lastFailure === undefined || issuance.requestedAt > lastFailure.at;
  if (nextTryAt !== undefined && nextTryAt > now && !isAskedAnew)
    return { kind: 'rest', until: nextTryAt, why: 'failed' };
  if (order?.url !== undefined) return { kind: 'work', why: 'resume' };
  if (certificate === undefined) return { kind: 'work', why: 'first' };
  if (issuance.requestedAt > (order?.issuedAt ?? 0)) return { kind: 'work', why: 'asked' };
  if (issuance.hosts.some((host) => !certificate.hosts.includes(host))) return { kind: 'work', why: 'hosts' };
  const until = renewsAt(order, certificate);
  return now < until ? { kind: 'rest', until, why: 'current' } : { kind: 'work', why: 'renewal' };
}

const secondMs = 1_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;

/**
 * How long nothing is tried after the `failures`th failure in a row. An authority that did not answer is asked again soon; one that
 * refused counts refusals (Let's Encrypt: five an hour for a host), so it is asked less and less.
 */
export function pauseAfter(error: unknown, failures: number): number {
  const doubled = (first: number, most: number) => Math.min(most, first * 2 ** Math.min(failures - 1, 20));
  const isOdd = error instanceof AuthorityUnreachable || (error instanceof AuthorityRefused && error.forgot);
  if (isOdd) return doubled(5 * secondMs, 10 * minuteMs);
  if (error instanceof AuthorityRefused)
    return Math.max(error.retryAfterMs ?? 0, doubled(15 * minuteMs, dayMs));
  return doubled(30 * secondMs, 60 * minuteMs);
}
