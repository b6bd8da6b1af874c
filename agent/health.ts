import type { Clock } from '../core/kit/clock.ts';
import type { HealthCheck } from '../core/model/health-check.ts';
import type { HealthResult } from '../core/model/instance.ts';
import type { Instances, RecordChange } from './instances.ts';
import { type BrakeLimits, brakeLimits, heldBack } from './kill-brake.ts';
import { hasEnded } from './pod-ends.ts';
import type { InstanceRecord } from './record.ts';

/** `undefined`: healthy; else what went wrong, for people. */
export type Probe = (
  record: InstanceRecord,
  check: HealthCheck,
  signal: AbortSignal,
) => Promise<string | undefined>;

export type HealthOptions = {
  readonly instances: Instances;
  readonly probe: Probe;
  readonly clock: Clock;
  /** Called when an instance has failed often enough to be ended. */
  readonly onUnhealthy: (key: string, cause: string) => void;
  /** Called when so many apps turn unhealthy that none is ended for it, with the reason, and with undefined when that is over. */
  readonly onHeldBack?: (reason: string | undefined) => void;
  /** `off`: every instance that fails often enough is ended. */
  readonly brake?: BrakeLimits | 'off';
};

/** While a check has never passed and its grace lasts, it is tried again after 0.1, 0.2, 0.4 … s: an instance that is up is known to be up soon. */
const firstEarlyMs = 100;

/** Probes running instances: one loop for each check of each of them. */
export class HealthChecks {
  readonly #options: HealthOptions;
  readonly #running = new Map<string, AbortController>();
  #isHeldBack = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Starts and ends probing so that exactly the running instances are probed. */
  follow(): void {
    const { instances } = this.#options;
    for (const [key, record] of instances.all) {
      if (record.state.kind !== 'running' || this.#running.has(key)) continue;
      const stopping = new AbortController();
      this.#running.set(key, stopping);
      for (const index of record.assignment.app.healthChecks.keys())
        void this.#check(key, index, stopping.signal);
    }
    for (const [key, stopping] of this.#running) {
      if (instances.get(key)?.state.kind === 'running') continue;
      stopping.abort();
      this.#running.delete(key);
    }
  }

  stop(): void {
    for (const stopping of this.#running.values()) stopping.abort();
    this.#running.clear();
  }

  async #check(key: string, index: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    try {
      const check = this.#options.instances.get(key)?.assignment.app.healthChecks[index];
      if (check === undefined) return;
      await clock.sleep(this.#delayMs(key, check), signal);
      let earlyMs = firstEarlyMs;
      for (;;) {
        const waitMs = await this.#probe(key, index, check, signal);
        const early = waitMs === 'early' && earlyMs < check.intervalSeconds * 1000;
        await clock.sleep(early ? earlyMs : check.intervalSeconds * 1000, signal);
        earlyMs *= 2;
      }
    } catch {
      // Only the signal ends a check: probes report their failures as values.
    }
  }

  async #probe(
    key: string,
    index: number,
    check: HealthCheck,
    signal: AbortSignal,
  ): Promise<'early' | 'regular'> {
    const { instances, probe, clock } = this.#options;
    const record = instances.get(key);
    if (record === undefined) return 'regular';
    if (check.container !== undefined && hasEnded(record, check.container)) {
      // What is left of the pod is as well as its other containers are.
      await this.#note(key, index, { alive: true, consecutiveFailures: 0 });
      return 'regular';
    }
    const cause = await probe(record, check, signal).catch((error: unknown) => String(error));
    signal.throwIfAborted();
    const state = instances.get(key)?.state;
    if (state?.kind !== 'running') return 'regular';
    const before = state.health[index] ?? null;
    const graceful =
      before?.firstSuccess === undefined && clock.now() - state.since < check.gracePeriodSeconds * 1000;
    if (cause !== undefined && graceful) return 'early';
    const result = judged(before, cause, clock.now());
    const isEnd = cause !== undefined && isFatal(check, result);
    const held = isEnd ? this.#heldBack(record) : undefined;
    await this.#note(key, index, explained(result, held));
    signal.throwIfAborted();
    if (isEnd && held === undefined) this.#options.onUnhealthy(key, cause);
    return 'regular';
  }

  /** From the instance's start: one that is adopted has waited already. */
  #delayMs(key: string, check: HealthCheck): number {
    const { instances, clock } = this.#options;
    const state = instances.get(key)?.state;
    if (!isNodeSide(check) || state?.kind !== 'running') return 0;
    return Math.max(0, state.since + check.delaySeconds * 1000 - clock.now());
  }

  /** Another verdict goes to the disk before it is told: who adopts the instance must not take it for one that never served. */
  async #note(key: string, index: number, result: HealthResult): Promise<void> {
    const { instances } = this.#options;
    const change: RecordChange = ({ state }) =>
      state.kind === 'running'
        ? { state: { ...state, health: state.health.with(index, result) } }
        : undefined;
    const state = instances.get(key)?.state;
    if (state?.kind !== 'running') return;
    if (state.health[index]?.alive === result.alive) instances.observe(key, change);
    // A full disk must not end the checks.
    else await instances.update(key, change).catch(() => instances.observe(key, change));
  }

  #heldBack({ assignment }: InstanceRecord): string | undefined {
    const { instances, clock, brake = brakeLimits, onHeldBack } = this.#options;
    if (brake === 'off') return undefined;
    const reason = heldBack(instances.all.values(), assignment.app.id, { now: clock.now(), limits: brake });
    if (this.#isHeldBack !== (reason !== undefined)) onHeldBack?.(reason);
    this.#isHeldBack = reason !== undefined;
    return reason;
  }
}

/** Who looks at an instance that should have been ended reads why it was not. */
function explained(result: HealthResult, held: string | undefined): HealthResult {
  if (held === undefined) return result;
  return { ...result, lastFailureCause: `${result.lastFailureCause} (not ended for it: ${held})` };
}

export function judged(before: HealthResult | null, cause: string | undefined, now: number): HealthResult {
  if (cause === undefined) {
    return {
      ...before,
      alive: true,
      consecutiveFailures: 0,
      firstSuccess: before?.firstSuccess ?? now,
      lastSuccess: now,
    };
  }
  const consecutiveFailures = (before?.consecutiveFailures ?? 0) + 1;
  return { ...before, alive: false, consecutiveFailures, lastFailure: now, lastFailureCause: cause };
}

/** Marathon §14.2: kinds probed by the scheduler kill at the (max + 1)-th failure in a row, those of the node at the max-th. */
export function isFatal(check: HealthCheck, result: HealthResult): boolean {
  const max = check.maxConsecutiveFailures;
  return max > 0 && result.consecutiveFailures >= (isNodeSide(check) ? max : max + 1);
}

function isNodeSide(check: HealthCheck): boolean {
  return check.protocol === 'COMMAND' || check.protocol.startsWith('MESOS_');
}
