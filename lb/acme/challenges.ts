import { randomBytes } from 'node:crypto';
import type { Challenge, Issuance } from '../../core/model/issuance.ts';
import { proofCertificate } from './request.ts';

/** What edges answer for a host. `authorization`: the token with what proves whose it is (RFC 8555 §8.1). */
export async function challengeFor(
  { name, challenge: type }: Issuance,
  { host, token, authorization }: { host: string; token: string; authorization: string },
  now: number,
): Promise<Challenge> {
  const ids = { key: `${name}/${host}`, issuance: name, host };
  if (type === 'http-01') return { ...ids, type, token, content: authorization };
  return { ...ids, type, ...(await proofCertificate({ host, authorization }, now)) };
}

/** The same with a token that no authority gave: to see whether edges answer. */
export function probeFor(issuance: Issuance, host: string, now: number): Promise<Challenge> {
  const token = `weir-${randomBytes(16).toString('base64url')}`;
  const authorization = `${token}.${randomBytes(16).toString('base64url')}`;
  return challengeFor(issuance, { host, token, authorization }, now);
}
