import type { Clock } from '../core/kit/clock.ts';
import { errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import type { Assignment } from '../core/model/master-port.ts';
import { type AgentAction, decide } from './decide.ts';
import type { Instances } from './instances.ts';
import type { Performer } from './perform.ts';

export type WorkDependencies = {
  readonly performer: Pick<Performer, 'perform'>;
  readonly instances: Instances;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when an action is over, however it went: there may be another to do. */
  readonly onDone: () => void;
};

type Launch = { readonly abort: AbortController; readonly over: Promise<void> };

/** How long a stopping agent waits for what it is doing. */
const settleMs = 3_000;
/** What failed is tried again after this. */
const repeatMs = 1_000;

/** The actions under way: one at a time for each instance, but for a stop, which interrupts a launch. */
export class Work {
  readonly #dependencies: WorkDependencies;
  readonly #busy = new Map<string, AgentAction['kind']>();
  readonly #launches = new Map<string, Launch>();
  readonly #performing = new Set<Promise<void>>();
  #stopping = new AbortController();

  constructor(dependencies: WorkDependencies) {
    this.#dependencies = dependencies;
  }

  start(): void {
    this.#stopping = new AbortController();
  }

  /** What is being started is given up, as a restart would; the rest may come to its end, or be found by the next start. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { abort } of this.#launches.values()) abort.abort(new Error('the agent stops'));
    const enough = new AbortController();
    const patience = this.#dependencies.clock.sleep(settleMs, enough.signal).catch(() => {});
    await Promise.race([Promise.all(this.#performing), patience]);
    enough.abort();
  }

  isStopping(key: string): boolean {
    return this.#busy.get(key) === 'stop';
  }

  /** Begins all there is to do now; `assignments`: as `AgentWorld` has them. */
  begin(assignments: ReadonlyMap<string, Assignment> | undefined): void {
    for (const action of decide({
      assignments,
      records: this.#dependencies.instances.all,
      busy: this.#busy,
    })) {
      const performed = this.#perform(action).finally(() => this.#performing.delete(performed));
      this.#performing.add(performed);
    }
  }

  async #perform(action: AgentAction): Promise<void> {
    const { performer, clock, log } = this.#dependencies;
    const { key, kind } = action;
    const interrupted = this.#launches.get(key);
    const abort = new AbortController();
    const over = Promise.withResolvers<void>();
    if (kind === 'launch') this.#launches.set(key, { abort, over: over.promise });
    this.#busy.set(key, kind);
    try {
      if (kind === 'stop') await interrupt(interrupted);
      await performer.perform(action, abort.signal);
    } catch (error) {
      log.error(`${kind} failed, it will be repeated`, { key, error: errorText(error) });
      if (kind === 'clean') await this.#linger(key);
      await clock.sleep(repeatMs, this.#stopping.signal).catch(() => {});
    } finally {
      if (kind === 'launch') this.#launches.delete(key);
      over.resolve();
      if (this.#busy.get(key) === kind) this.#busy.delete(key);
      this.#dependencies.onDone();
    }
  }

  async #linger(key: string): Promise<void> {
    await this.#dependencies.instances
      .update(key, ({ lingers }) => (lingers ? undefined : { lingers: true }))
      .catch(() => {});
  }
}

/** What a launch holds is known when it is over; to clean up earlier would leave what it attaches last. */
async function interrupt(launch: Launch | undefined): Promise<void> {
  launch?.abort.abort(new Error('stopped'));
  await launch?.over;
}
