import { FakeClock } from '../../core/kit/fake-clock.ts';
import { silentLog } from '../../core/kit/log.ts';
import type { InstanceState } from '../../core/model/instance.ts';
import type { Placement } from '../../core/model/placement.ts';
import { vipRangeOfCidr } from '../../core/model/vip-address.ts';
import { Database } from '../../core/state/database.ts';
import { EventBus } from '../../core/state/event-bus.ts';
import { Presence } from '../../core/state/presence.ts';
import { DirectoryPublisher } from '../../core/state/publisher.ts';
import type { Snapshot } from '../../core/state/snapshot.ts';
import { MemoryStore } from '../../core/state/stores/memory.ts';
import { testAgent } from '../../core/state/testing/agents.ts';
import { plainRules } from '../placement-rules.ts';
import { Scheduler } from '../scheduler.ts';

/** A clock that can also be found later than expected, as after a suspend. */
class JumpingClock extends FakeClock {
  #skipped = 0;
  override now(): number {
    return super.now() + this.#skipped;
  }
  jump(ms: number): void {
    this.#skipped += ms;
  }
}

/** A scheduler with everything real around it but the store, the clock and the one agent. */
export async function startMaster(t: { teardown(work: () => Promise<void>): void }) {
  const clock = new JumpingClock();
  const database = new Database(new MemoryStore(), silentLog, clock);
  const presence = new Presence(1_500);
  const publisher = new DirectoryPublisher(database);
  const bus = new EventBus();
  const events: string[] = [];
  bus.subscribe((event) => events.push(event.kind));
  let ids = 0;
  const scheduler = new Scheduler(
    {
      database,
      presence,
      publisher,
      events: bus,
      clock,
      log: silentLog,
      uuid: () => `id-${++ids}`,
      random: () => 0.5,
    },
    {
      limits: {
        drainLimitMs: 60_000,
        agentLostMs: 10_000,
        launchTimeoutMs: 300_000,
        placement: plainRules,
        waitForAcks: true,
      },
      vipRange: vipRangeOfCidr('11.0.0.0/24'),
      mostDeployments: 100,
    },
  );
  const parts = [database, publisher, scheduler];
  for (const part of parts) await part.start();
  t.teardown(async () => {
    for (const part of parts.toReversed()) await part.stop();
  });
  const agent = testAgent('h1', { resources: { cpus: 8, mem: 8_192, disk: 0, gpus: 0 } });
  await database.commit([{ kind: 'put', table: 'agents', key: 'h1', value: agent }]);
  presence.connected('h1', clock.now());
  const report = async (
    { instanceId, appId, appVersion, agentId, attempt }: Placement,
    state: InstanceState,
  ) => {
    const value = { instanceId, appId, appVersion, agentId, attempt, stagedAt: clock.now(), state };
    await database.commit([{ kind: 'put', table: 'instances', key: instanceId, value }]);
  };
  return {
    clock,
    database,
    scheduler,
    events,
    run: (placement: Placement) =>
      report(placement, { kind: 'running', since: clock.now(), addresses: [], health: [] }),
    end: (placement: Placement) =>
      report(placement, { kind: 'ended', at: clock.now(), how: 'failed', reason: 'crashed' }),
    /** Resolves when the round under way is over: whatever is asked of the scheduler waits for that. */
    async settled(): Promise<void> {
      await scheduler.kill([], 'nothing');
    },
    /** Resolves when an event of this kind has been told. */
    heard(kind: string): Promise<void> {
      if (events.includes(kind)) return Promise.resolve();
      return new Promise((resolve) => {
        const end = bus.subscribe((event) => {
          if (event.kind !== kind) return;
          end();
          resolve();
        });
      });
    },
    /** Resolves with the first answer that is not false. */
    until<T>(look: (snapshot: Snapshot) => T | false): Promise<T> {
      const found = look(database.snapshot);
      if (found !== false) return Promise.resolve(found);
      return new Promise((resolve) => {
        const end = database.onChange(() => {
          const answer = look(database.snapshot);
          if (answer === false) return;
          end();
          resolve(answer);
        });
      });
    },
  };
}
