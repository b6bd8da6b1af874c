import { WeirError } from '../core/kit/errors.ts';

/** Stable codes; each has a line in docs/errors.md. */
export type CniErrorCode =
  | 'WEIR_CNI_CONFIG'
  | 'WEIR_CNI_VERSION'
  | 'WEIR_CNI_ARGUMENT'
  | 'WEIR_CNI_PLUGIN_MISSING'
  | 'WEIR_CNI_PLUGIN_START'
  | 'WEIR_CNI_PLUGIN_FAILED'
  | 'WEIR_CNI_PLUGIN_TIMEOUT'
  | 'WEIR_CNI_PLUGIN_OUTPUT'
  | 'WEIR_CNI_ATTACHED'
  | 'WEIR_CNI_NOT_ATTACHED'
  | 'WEIR_CNI_CACHE'
  | 'WEIR_CNI_GC'
  | 'WEIR_CNI_ABORTED';

/** Where an error happened, as far as it is known. */
export type CniErrorContext = {
  /** Type of the plugin, for example `bridge`. */
  readonly plugin?: string | undefined;
  readonly network?: string | undefined;
  readonly containerId?: string | undefined;
  readonly ifName?: string | undefined;
  readonly command?: string | undefined;
};

export type CniErrorOptions = CniErrorContext & {
  /** Error number of section 6 of the CNI specification. */
  readonly cniCode?: number | undefined;
  readonly details?: string | undefined;
  readonly cause?: unknown;
  readonly next?: string;
  /** Every error of an operation that goes on after one (GC). */
  readonly errors?: readonly Error[];
};

/**
 * Any failure of a CNI operation.
 * `message` names the action and the attachment; `reason` is the part after it ("plugin bridge failed: …"), for a caller that
 * knows a better name for the container.
 */
export class CniError extends WeirError {
  declare readonly code: CniErrorCode;
  readonly reason: string;
  readonly cniCode: number | undefined;
  readonly details: string | undefined;
  readonly context: CniErrorContext;
  readonly errors: readonly Error[];

  constructor(code: CniErrorCode, reason: string, options: CniErrorOptions = {}) {
    super(code, describe(reason, options), {
      cause: options.cause,
      ...(options.next === undefined ? {} : { next: options.next }),
    });
    const { plugin, network, containerId, ifName, command } = options;
    this.reason = reason;
    this.cniCode = options.cniCode;
    this.details = options.details;
    this.context = { plugin, network, containerId, ifName, command };
    this.errors = options.errors ?? [];
  }

  /** Type of the plugin that failed, when one did. */
  get plugin(): string | undefined {
    return this.context.plugin;
  }

  /** Name of the network. */
  get network(): string | undefined {
    return this.context.network;
  }
}

/** The same error, with what an outer caller knows about where it happened. */
export function withContext(error: CniError, context: CniErrorContext): CniError {
  return new CniError(error.code, error.reason, {
    ...context,
    ...definedOf(error.context),
    cniCode: error.cniCode,
    details: error.details,
    cause: error.cause,
    errors: error.errors,
    ...(error.next === undefined ? {} : { next: error.next }),
  });
}

/** Does the work; a CniError is kept in the list instead of thrown. */
export async function gather(errors: CniError[], work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof CniError)) throw error;
    errors.push(error);
  }
}

function definedOf(context: CniErrorContext): CniErrorContext {
  return Object.fromEntries(Object.entries(context).filter(([, value]) => value !== undefined));
}

function describe(reason: string, context: CniErrorContext): string {
  const { command, network, containerId, ifName } = context;
  if (command === undefined) return reason;
  const attachment = `container ${containerId ?? '?'} (${ifName ?? '?'})`;
  const on = `network ${network ?? '?'}`;
  if (command === 'ADD') return `Cannot attach ${attachment} to ${on}: ${reason}`;
  if (command === 'DEL') return `Cannot detach ${attachment} from ${on}: ${reason}`;
  if (command === 'CHECK') return `Cannot confirm ${attachment} on ${on}: ${reason}`;
  if (command === 'GC') return `Cannot collect left-overs of ${on}: ${reason}`;
  if (command === 'STATUS') return `Cannot attach containers to ${on}: ${reason}`;
  return `Cannot ask plugin ${context.plugin ?? '?'} for its versions: ${reason}`;
}
