/** A server certificate with its key: given by an operator, kept in the store, used by every edge. */
export type Certificate = {
  readonly name: string;
  /** PEM, the server's own first, each signed by the next. */
  readonly chain: string;
  /** PEM, not encrypted. Only edges are told it; nobody is shown it. */
  readonly key: string;
  /** What it is for: lower case, `*.example.org` covers one label. */
  readonly hosts: readonly string[];
  /** ms since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** For clients that name no host, or one without a certificate. At most one. */
  readonly default?: true;
};

/** Warned of from so long before its end. */
export const expiryWarningMs = 21 * 86_400_000;
