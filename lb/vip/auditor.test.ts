import t from 'tap';
import { FakeClock } from '../../core/kit/fake-clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import { Metrics } from '../../core/kit/metrics.ts';
import { VipAuditor } from './auditor.ts';
import type { VipDrift } from './backend.ts';

/** An auditor of a data plane whose listings take `tookMs`, and a way to let its next round pass. */
function create(findings: VipDrift[][], tookMs = 0) {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const warnings: string[] = [];
  let audits = 0;
  const backend = {
    async audit() {
      audits++;
      if (tookMs > 0) await clock.advance(tookMs);
      return findings.shift() ?? [];
    },
  };
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  const auditor = new VipAuditor({ audits: [backend], clock, log, metrics }, { everyMs: 1_000 });
  const asleep = async () => {
    while (clock.sleeping === 0) await new Promise(setImmediate);
  };
  const pass = async () => {
    await asleep();
    await clock.advance(1_000);
    await asleep();
  };
  return { auditor, metrics, warnings, asleep, pass, audits: () => audits };
}

const gone = { what: 'chain dispatch is missing', repaired: true };

t.test('the vip auditor tells what it found, counts it, and forgets it when it is gone', async (t) => {
  const { auditor, metrics, warnings, asleep, pass } = create([[gone]]);
  t.match(auditor.status(), { at: undefined, drift: [], found: 0 });
  await auditor.start();
  t.teardown(() => auditor.stop());
  await asleep();
  t.match(auditor.status(), { drift: [gone], found: 1 });
  t.same(warnings, ['vip: chain dispatch is missing']);
  t.match(metrics.text(), /^weir_vip_drift 1$/m);
  await pass();
  t.match(auditor.status(), { drift: [], found: 1 });
  t.match(metrics.text(), /^weir_vip_drift 0$/m);
  t.match(metrics.text(), /^weir_vip_drift_total 1$/m);
  t.match(metrics.text(), /^weir_vip_audited_timestamp_seconds \d+$/m);
});

t.test('the vip auditor tells of a part that cannot be audited, and audits the others', async (t) => {
  const parts: string[] = [];
  const warnings: string[] = [];
  const audits = [
    { audit: () => Promise.reject(new Error('nft was killed')) },
    {
      async audit() {
        parts.push('second');
        return [gone];
      },
    },
  ];
  const clock = new FakeClock();
  const log = { ...silentLog, warn: (message: string) => warnings.push(message) };
  const auditor = new VipAuditor({ audits, clock, log }, { everyMs: 1_000 });
  await auditor.start();
  t.teardown(() => auditor.stop());
  while (clock.sleeping === 0) await new Promise(setImmediate);
  t.same(parts, ['second']);
  t.same(auditor.status().drift, [{ what: 'cannot be audited: nft was killed', repaired: false }, gone]);
  t.same(warnings, ['vip: cannot be audited: nft was killed', 'vip: chain dispatch is missing']);
});

t.test('the vip auditor leaves a large table alone for longer', async (t) => {
  const { auditor, asleep, pass, audits } = create([], 100);
  await auditor.start();
  t.teardown(() => auditor.stop());
  await asleep();
  t.equal(audits(), 1);
  await pass();
  t.equal(audits(), 1, 'twenty times the 100 ms have not passed');
  await pass();
  t.equal(audits(), 2);
});

t.test('the vip auditor comes back within a minute, however long a listing takes', async (t) => {
  const { auditor, asleep, pass, audits } = create([], 30_000);
  await auditor.start();
  t.teardown(() => auditor.stop());
  await asleep();
  for (let second = 0; second < 59; second++) await pass();
  t.equal(audits(), 1);
  for (let second = 0; second < 3; second++) await pass();
  t.equal(audits(), 2);
});
