/** What the last poll of a readiness check came to (Marathon §14.5). */
export type ReadinessResult = {
  readonly name: string;
  readonly ready: boolean;
  /** Where the app wants it kept. */
  readonly lastResponse?: ReadinessResponse;
};

export type ReadinessResponse = {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
};

/** A general check (Marathon §14.4): it informs, and nothing is ever ended for it. Exactly one kind; times are seconds. */
export type GeneralCheck = {
  readonly http?: {
    readonly portIndex?: number;
    readonly port?: number;
    readonly path?: string;
    readonly scheme?: 'HTTP' | 'HTTPS';
  };
  readonly tcp?: { readonly portIndex?: number; readonly port?: number };
  readonly exec?: {
    readonly command: { readonly shell?: string; readonly argv?: readonly string[] };
  };
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly delaySeconds: number;
};

/** What a general check saw last. The number is absent when there was no answer in time. */
export type CheckResult =
  | { readonly kind: 'http'; readonly statusCode?: number }
  | { readonly kind: 'tcp'; readonly succeeded: boolean }
  | { readonly kind: 'command'; readonly exitCode?: number };
