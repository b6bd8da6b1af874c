import { setTimeout as delay } from 'node:timers/promises';
import type { VipAudit, VipBackend } from '../lb/vip/backend.ts';
import type { VipService } from '../lb/vip/table.ts';
import { percentile } from './numbers.ts';
import { service, table } from './vip-services.ts';

export type Audited = {
  readonly changeP99Ms: number;
  /** Audits that ended meanwhile, and the longest. */
  readonly audits: number;
  readonly auditMs: number;
};

/** Changes a second. */
const rate = 20;
/** Between two audits; the product's come ten times as seldom. */
const restMs = 1_000;

/** What a change costs while twenty a second come and audits each second, with all these services in force. */
export async function measureAudited(
  backend: VipBackend & VipAudit,
  {
    all,
    backends,
    changes,
  }: { readonly all: VipService[]; readonly backends: readonly string[]; readonly changes: number },
): Promise<Audited> {
  // As on a machine that has run for a while: the table was listed once in peace, after the first change was heard of.
  for (let turn = 0; turn < 2; turn++) {
    await backend.audit();
    all[0] = service(0, turn === 0 ? backends.slice(1) : backends);
    await backend.apply(table(all));
  }
  await backend.audit();
  let over = false;
  const lengths: number[] = [];
  const audits = (async () => {
    while (!over) {
      const started = performance.now();
      const drift = await backend.audit();
      if (drift.length > 0) throw new Error(`an audit found ${JSON.stringify(drift.slice(0, 5))}`);
      lengths.push(performance.now() - started);
      await delay(restMs);
    }
  })();
  const times: number[] = [];
  const began = performance.now();
  for (let change = 0; change < changes; change++) {
    await delay(Math.max(0, began + (change * 1_000) / rate - performance.now()));
    const at = (change * 997) % all.length;
    all[at] = service(at, all[at]!.backends.length === backends.length ? backends.slice(1) : backends);
    const next = table(all);
    const started = performance.now();
    await backend.apply(next);
    times.push(performance.now() - started);
  }
  over = true;
  await audits;
  return {
    changeP99Ms: percentile(times, 0.99),
    audits: lengths.length,
    auditMs: Math.max(...lengths),
  };
}
