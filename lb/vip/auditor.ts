import type { Clock } from '../../core/kit/clock.ts';
import { errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import { Loop } from '../../core/kit/loop.ts';
import type { Metrics } from '../../core/kit/metrics.ts';
import type { Part } from '../../core/kit/part.ts';
import type { VipAudit, VipDrift } from './backend.ts';

export type VipAuditStatus = {
  /** Milliseconds since the epoch of the last audit; undefined before the first. */
  readonly at: number | undefined;
  /** How long it took. */
  readonly tookMs?: number;
  /** What the last audit found; empty when the data plane is as it was put there. */
  readonly drift: readonly VipDrift[];
  /** Found by all audits of this process. */
  readonly found: number;
};

type Dependencies = {
  /** What is audited, one after the other. */
  readonly audits: readonly VipAudit[];
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics | undefined;
  /** In front of what is logged; default `vip`. */
  readonly about?: string;
};

/** At most this share of the time goes into audits, as long as one comes every minute all the same. */
const share = 1 / 20;
const longestPauseMs = 60_000;

/** Audits a data plane on a slow timer. */
export class VipAuditor implements Part {
  readonly name = 'vip-audit';
  readonly #dependencies: Dependencies;
  readonly #loop: Loop;
  readonly #count: (by: number, tookMs: number) => void;
  #status: VipAuditStatus = { at: undefined, drift: [], found: 0 };
  #notBefore = 0;

  constructor(dependencies: Dependencies, { everyMs = 10_000 }: { readonly everyMs?: number } = {}) {
    const { clock, log, metrics } = dependencies;
    this.#dependencies = dependencies;
    this.#loop = new Loop(() => this.#round(), { name: this.name, clock, log, everyMs });
    const last = metrics?.gauge(
      'weir_vip_drift',
      'Differences the last audit of virtual IPs found; 0 is right',
    );
    const all = metrics?.counter('weir_vip_drift_total', 'Differences found by audits of virtual IPs');
    const took = metrics?.gauge('weir_vip_audit_seconds', 'How long the last audit of virtual IPs took');
    const when = metrics?.gauge(
      'weir_vip_audited_timestamp_seconds',
      'When the last audit of virtual IPs ended',
    );
    this.#count = (by, tookMs) => {
      last?.(by);
      took?.(tookMs / 1_000);
      when?.(Math.round(clock.now() / 1_000));
      all?.({}, by);
    };
  }

  async start(): Promise<void> {
    await this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  status(): VipAuditStatus {
    return this.#status;
  }

  async #round(): Promise<void> {
    const { audits, clock, log, about = 'vip' } = this.#dependencies;
    const started = clock.now();
    if (started < this.#notBefore) return;
    const drift: VipDrift[] = [];
    for (const audit of audits) drift.push(...(await audit.audit().catch(failed)));
    const ended = clock.now();
    const tookMs = ended - started;
    this.#notBefore = ended + Math.min(tookMs / share, longestPauseMs);
    this.#status = { at: ended, tookMs, drift, found: this.#status.found + drift.length };
    this.#count(drift.length, tookMs);
    for (const { what, repaired } of drift) log.warn(`${about}: ${what}`, { repaired });
  }
}

/** What cannot be looked at says nothing of the others. */
function failed(error: unknown): readonly VipDrift[] {
  return [{ what: `cannot be audited: ${errorText(error)}`, repaired: false }];
}
