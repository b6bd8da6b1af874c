/**
 * The base of every error Weir raises on purpose.
 * `code` is stable (`WEIR_…`, listed in docs/errors.md); the message says action, state and need.
 */
export class WeirError extends Error {
  readonly code: string;
  /** What a person can do next, shown on a line of its own. */
  readonly next: string | undefined;

  constructor(code: string, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.next = options.next;
  }
}

/** The text of anything thrown, for logs and for `reason` fields. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a system or Weir error, or undefined. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
