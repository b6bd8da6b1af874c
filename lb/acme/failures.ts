import { WeirError } from '../../core/kit/errors.ts';

/** The authority cannot be asked now; it may well issue later. */
export class AuthorityUnreachable extends WeirError {
  constructor(url: string, detail: string, cause?: unknown) {
    super('WEIR_AUTHORITY_UNREACHABLE', `Cannot ask the authority at ${url}: ${detail}`, { cause });
  }
}

export type AcmeProblem = {
  /** Without `urn:ietf:params:acme:error:`. */
  readonly type: string;
  readonly detail: string;
};

/** The authority says no, and why. */
export class AuthorityRefused extends WeirError {
  readonly type: string;
  /** ms; how long it wants not to be asked again. */
  readonly retryAfterMs: number | undefined;
  /** It does not know what it knew before: our account, or the order. */
  readonly forgot: boolean;

  constructor(
    what: string,
    { type, detail }: AcmeProblem,
    { status, retryAfterMs }: { readonly status?: number; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super('WEIR_AUTHORITY_REFUSED', `The authority refused ${what}: ${detail} (${type})`);
    this.type = type;
    this.retryAfterMs = retryAfterMs;
    this.forgot = status === 404 || type === 'accountDoesNotExist';
  }
}

/** The authority was not asked: it would have refused. */
export class PreflightFailed extends WeirError {
  constructor(faults: readonly string[]) {
    super('WEIR_PREFLIGHT_FAILED', faults.join('; '), {
      next: 'Put it right and ask again, or ask without looking first: --no-preflight.',
    });
  }
}

/** What the authority gave is not what was ordered, or something here is missing for the order. */
export class IssuanceFailed extends WeirError {
  constructor(detail: string) {
    super('WEIR_ISSUANCE_FAILED', detail);
  }
}
