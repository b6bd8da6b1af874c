/** A request as policies see it. */
export type PolicyRequest = {
  readonly scheme: 'http' | 'https';
  readonly clientAddress: string;
  /** Host as the client wrote it. */
  readonly hostText: string;
  readonly path: string;
  readonly target: string;
  /** Where the edge serves TLS. */
  readonly httpsPort: number | undefined;
};

/** An answer of the edge itself instead of the service's. */
export type PolicyAnswer = {
  readonly status: number;
  readonly text: string;
  /** Further field lines, each with its CRLF. */
  readonly fields?: string | undefined;
  /** One word for the access log; absent: `text` says it. */
  readonly why?: string | undefined;
  /** `text` is the whole content, of this type; else it is a sentence for a page of ours. */
  readonly contentType?: string | undefined;
};
