import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/kit/clock.ts';
import type { CheckResult, GeneralCheck } from '../core/model/checks.ts';
import type { Instances } from './instances.ts';
import type { InstanceRecord } from './record.ts';
import { WhileRunning } from './while-running.ts';

/** Looks once; what keeps it from seeing anything is a result too. */
export type Look = (record: InstanceRecord, check: GeneralCheck, signal: AbortSignal) => Promise<CheckResult>;

type Means = { readonly instances: Instances; readonly look: Look; readonly clock: Clock };

/** General checks (Marathon §14.4): for as long as an instance runs, and only to be shown. */
export class GeneralChecks extends WhileRunning {
  constructor(means: Means) {
    super(means.instances, (key, signal) => {
      lookAgain(key, means, signal).catch(() => {
        // Only the signal ends it: a look reports its failures as values.
      });
    });
  }
}

async function lookAgain(key: string, { instances, look, clock }: Means, signal: AbortSignal): Promise<void> {
  const check = instances.get(key)?.assignment.app.check;
  if (check === undefined) return;
  await clock.sleep(check.delaySeconds * 1000, signal);
  for (;;) {
    const record = instances.get(key);
    if (record === undefined) return;
    const result = await look(record, check, signal);
    signal.throwIfAborted();
    const state = instances.get(key)?.state;
    if (state?.kind !== 'running') return;
    if (!isDeepStrictEqual(state.check, result))
      instances.observe(key, (current) =>
        current.state.kind === 'running' ? { state: { ...current.state, check: result } } : undefined,
      );
    await clock.sleep(check.intervalSeconds * 1000, signal);
  }
}
