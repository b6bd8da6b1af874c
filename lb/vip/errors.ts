import { WeirError } from '../../core/kit/errors.ts';

/** This machine cannot run the chosen VIP backend. */
export class VipUnavailable extends WeirError {
  constructor(kind: string, detail: string, options: { cause?: unknown; next?: string } = {}) {
    super('WEIR_VIP_UNAVAILABLE', `Cannot start the ${kind} VIP backend: ${detail}`, options);
  }
}

/** The data plane refused a table; what was in force stays in force. */
export class VipApplyFailed extends WeirError {
  constructor(kind: string, detail: string) {
    super('WEIR_VIP_APPLY_FAILED', `Cannot put virtual IPs in force with ${kind}: ${detail}`);
  }
}
