import type { Clock } from '../core/kit/clock.ts';
import type { ReadinessCheck } from '../core/model/app.ts';
import type { ReadinessResponse } from '../core/model/checks.ts';
import type { Instances, RecordChange } from './instances.ts';
import type { InstanceRecord } from './record.ts';
import { WhileRunning } from './while-running.ts';

/** Asks an instance once whether it is ready; what keeps it from answering is an answer of status 504. */
export type Poll = (
  record: InstanceRecord,
  check: ReadinessCheck,
  signal: AbortSignal,
) => Promise<ReadinessResponse>;

/**
 * Readiness checks (Marathon §14.5): from when an instance runs until it has once said that it is ready. The master looks
 * at the outcome during deployments only.
 */
export class ReadinessChecks extends WhileRunning {
  constructor({ instances, poll, clock }: { instances: Instances; poll: Poll; clock: Clock }) {
    super(instances, (key, signal) => {
      pollUntilReady(key, { instances, poll, clock, signal }).catch(() => {
        // Only the signal ends it early: a poll reports its failures as values.
      });
    });
  }
}

async function pollUntilReady(
  key: string,
  { instances, poll, clock, signal }: { instances: Instances; poll: Poll; clock: Clock; signal: AbortSignal },
): Promise<void> {
  const [check] = instances.get(key)?.assignment.app.readinessChecks ?? [];
  const state = instances.get(key)?.state;
  const isReady = state?.kind === 'running' && state.readiness?.ready === true;
  if (check === undefined || isReady) return;
  for (;;) {
    const record = instances.get(key);
    if (record === undefined) return;
    const response = await poll(record, check, signal);
    signal.throwIfAborted();
    const ready = check.httpStatusCodesForReady.includes(response.status);
    const lastResponse = check.preserveLastResponse ? { lastResponse: response } : {};
    const readiness = { name: check.name, ready, ...lastResponse };
    const change: RecordChange = ({ state }) =>
      state.kind === 'running' ? { state: { ...state, readiness } } : undefined;
    // That it is ready is kept, so that one that is adopted is not asked again; a full disk must not end the check.
    if (ready) return instances.update(key, change).catch(() => instances.observe(key, change));
    instances.observe(key, change);
    await clock.sleep(check.intervalSeconds * 1000, signal);
  }
}
