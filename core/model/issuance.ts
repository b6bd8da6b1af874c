export type ChallengeType = 'http-01' | 'tls-alpn-01';

/** An ACME authority (RFC 8555) that certificates are ordered from, as operators named it. */
export type Authority = {
  readonly name: string;
  /** URL of its directory. */
  readonly directory: string;
  /** E-mail address it may write to. */
  readonly contact?: string;
  /** Where it wants an account of its own to be named (RFC 8555 §7.3.4); `key` is base64url. */
  readonly externalAccount?: { readonly keyId: string; readonly key: string };
  /** PEM of who signed the certificate of its API; absent: whom the runtime trusts. */
  readonly trust?: string;
  /** `host:port` that is asked for names before the authority is; absent: the master's own resolver. */
  readonly resolver?: string;
};

/** Our account there. Written by the issuer. */
export type AuthorityAccount = {
  readonly authority: string;
  /** The authority's directory; another one is another account. */
  readonly directory: string;
  /** PEM. */
  readonly key: string;
  /** Absent: not registered yet. */
  readonly url?: string;
};

/** A certificate that an operator wants from an authority, now and whenever it comes to its end. */
export type Issuance = {
  /** Also that of the certificate. */
  readonly name: string;
  /** Lower case, no wildcards. */
  readonly hosts: readonly string[];
  readonly challenge: ChallengeType;
  /** Its name. */
  readonly authority: string;
  /** Whether what the authority will look at is looked at before. */
  readonly preflight: boolean;
  readonly default?: true;
  /** ms since the epoch; what failed before is tried at once, what was issued before is issued anew. */
  readonly requestedAt: number;
};

/** How far an issuance is. Written by the issuer; whoever leads next goes on from here. */
export type CertificateOrder = {
  readonly name: string;
  /** Of the order under way at the authority. */
  readonly url?: string;
  readonly hosts?: readonly string[];
  /** PEM: what the certificate will be for. */
  readonly key?: string;
  /** ms since the epoch, as all times here. */
  readonly startedAt?: number;
  readonly step?: 'preflight' | 'ordering' | 'validating' | 'finalizing';
  readonly issuedAt?: number;
  /** When the authority wants it renewed (RFC 9773). */
  readonly renewAt?: number;
  /** In a row. */
  readonly failures: number;
  readonly lastFailure?: { readonly at: number; readonly code: string; readonly reason: string };
  readonly nextTryAt?: number;
};

/** What edges answer to an authority that looks whether a host is ours. */
export type Challenge = {
  /** Unique: issuance and host. */
  readonly key: string;
  readonly issuance: string;
  readonly host: string;
} & (
  | { readonly type: 'http-01'; readonly token: string; readonly content: string }
  /** `certificate` and `privateKey`: PEM; for this proof only (RFC 8737). */
  | { readonly type: 'tls-alpn-01'; readonly certificate: string; readonly privateKey: string }
);

type Life = { readonly notBefore: number; readonly notAfter: number };

/** When a third of its life is left, or when its authority wants it, but not when it would be too late. */
export function renewsAt(order: CertificateOrder | undefined, { notBefore, notAfter }: Life): number {
  const usual = notAfter - Math.floor((notAfter - notBefore) / 3);
  return Math.min(order?.renewAt ?? usual, notAfter);
}
