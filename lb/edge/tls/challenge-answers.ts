import type { Challenge } from '../../../core/model/issuance.ts';

/** PEM, both. */
export type Proof = { readonly key: string; readonly cert: string };

type Challenges = ReadonlyMap<string, Challenge>;

/** What is answered below /.well-known/acme-challenge/ (RFC 8555 §8.3): contents by path. */
export function challengePages(challenges: Challenges): ReadonlyMap<string, string> {
  const pages = new Map<string, string>();
  for (const challenge of challenges.values())
    if (challenge.type === 'http-01')
      pages.set(`/.well-known/acme-challenge/${challenge.token}`, challenge.content);
  return pages;
}

/** What is shown to those who speak acme-tls/1 (RFC 8737), by host. */
export function challengeCertificates(challenges: Challenges): ReadonlyMap<string, Proof> {
  const certificates = new Map<string, Proof>();
  for (const challenge of challenges.values())
    if (challenge.type === 'tls-alpn-01')
      certificates.set(challenge.host, { key: challenge.privateKey, cert: challenge.certificate });
  return certificates;
}
