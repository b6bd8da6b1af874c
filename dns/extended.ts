/** Extended DNS errors (RFC 8914): why a reply is what it is, for people. */
export type ExtendedError = { readonly code: number; readonly text: string };

export const EXTENDED = {
  staleAnswer: 3,
  notReady: 14,
  prohibited: 18,
  staleNxdomain: 19,
  notAuthoritative: 20,
  noReachableAuthority: 22,
  other: 0,
} as const;
