import type { Clock } from '../core/kit/clock.ts';
import { errorText } from '../core/kit/errors.ts';
import { type HealthCheck, isNodeSide } from '../core/model/health-check.ts';
import type { HealthResult } from '../core/model/instance.ts';
import type { Instances, RecordChange } from './instances.ts';
import { hasEnded } from './pod-ends.ts';
import type { Verdict } from './probe.ts';
import type { InstanceRecord } from './record.ts';
import { WhileRunning } from './while-running.ts';

export type Probe = (record: InstanceRecord, check: HealthCheck, signal: AbortSignal) => Promise<Verdict>;

type Means = { readonly instances: Instances; readonly probe: Probe; readonly clock: Clock };

/** While a check has never passed and its grace lasts, it is tried again after 0.1, 0.2, 0.4 … s: an instance that is up is known to be up soon. */
const firstEarlyMs = 100;

/**
 * Probes running instances: one loop for each check of each of them. What comes out is reported; whether an instance is
 * ended for it is the master's decision, which sees what else fails at the same time.
 */
export class HealthChecks extends WhileRunning {
  constructor(means: Means) {
    super(means.instances, (key, signal) => {
      const checks = means.instances.get(key)?.assignment.app.healthChecks ?? [];
      for (const [index, check] of checks.entries())
        probeAgain({ key, index, check }, means, signal).catch(() => {
          // Only the signal ends a check: probes report their failures as values.
        });
    });
  }
}

type Checked = { readonly key: string; readonly index: number; readonly check: HealthCheck };

async function probeAgain(checked: Checked, means: Means, signal: AbortSignal): Promise<void> {
  const { check } = checked;
  const regularMs = check.intervalSeconds * 1000;
  await means.clock.sleep(delayMs(checked, means), signal);
  let earlyMs = firstEarlyMs;
  for (;;) {
    const next = await probeOnce(checked, means, signal);
    await means.clock.sleep(next === 'early' && earlyMs < regularMs ? earlyMs : regularMs, signal);
    earlyMs *= 2;
  }
}

async function probeOnce(
  { key, index, check }: Checked,
  { instances, probe, clock }: Means,
  signal: AbortSignal,
): Promise<'early' | 'regular'> {
  const record = instances.get(key);
  if (record === undefined) return 'regular';
  if (check.container !== undefined && hasEnded(record, check.container)) {
    // What is left of the pod is as well as its other containers are.
    await note({ key, index, result: { alive: true, consecutiveFailures: 0 } }, instances);
    return 'regular';
  }
  const verdict = await probe(record, check, signal).catch(errorText);
  signal.throwIfAborted();
  const state = instances.get(key)?.state;
  if (state?.kind !== 'running' || verdict === null) return 'regular';
  const before = state.health[index] ?? null;
  const isGraceful =
    before?.firstSuccess === undefined && clock.now() - state.since < check.gracePeriodSeconds * 1000;
  if (verdict !== undefined && isGraceful) return 'early';
  const result = judged(before, verdict, clock.now());
  await note({ key, index, result }, instances);
  return 'regular';
}

/** From the instance's start: one that is adopted has waited already. */
function delayMs({ key, check }: Checked, { instances, clock }: Means): number {
  const state = instances.get(key)?.state;
  if (!isNodeSide(check) || state?.kind !== 'running') return 0;
  return Math.max(0, state.since + check.delaySeconds * 1000 - clock.now());
}

type Noted = { readonly key: string; readonly index: number; readonly result: HealthResult };

/** Another verdict goes to the disk before it is told: who adopts the instance must not take it for one that never served. */
async function note({ key, index, result }: Noted, instances: Instances): Promise<void> {
  const change: RecordChange = ({ state }) =>
    state.kind === 'running' ? { state: { ...state, health: state.health.with(index, result) } } : undefined;
  const state = instances.get(key)?.state;
  if (state?.kind !== 'running') return;
  if (state.health[index]?.alive === result.alive) instances.observe(key, change);
  // A full disk must not end the checks.
  else await instances.update(key, change).catch(() => instances.observe(key, change));
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
