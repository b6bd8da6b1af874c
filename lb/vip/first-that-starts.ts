import { errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import type { VipBalance } from '../../core/model/vip-policy.ts';
import {
  canAudit,
  canChoose,
  canEject,
  type VipAudit,
  type VipBackend,
  type VipChoice,
  type VipCounters,
  type VipDrift,
  type VipEjection,
} from './backend.ts';
import { VipUnavailable } from './errors.ts';
import type { VipProblem, VipService, VipTable } from './table.ts';

/** A way to serve; `leave`, where another is taken, takes away what an earlier process left of this one. */
export type Candidate = { readonly backend: VipBackend; leave?(): Promise<void> };

/** The first backend that this machine can run; decided when it is started, by starting it. */
export class FirstThatStarts implements VipBackend, VipAudit, VipEjection, VipChoice {
  readonly #candidates: readonly [Candidate, ...Candidate[]];
  readonly #log: Log;
  #chosen: VipBackend | undefined;

  constructor(candidates: readonly [Candidate, ...Candidate[]], log: Log) {
    this.#candidates = candidates;
    this.#log = log;
  }

  get kind(): string {
    return this.#backend.kind;
  }

  async start(): Promise<void> {
    if (this.#chosen !== undefined) return this.#chosen.start();
    const last = this.#candidates.length - 1;
    for (const [i, candidate] of this.#candidates.entries()) {
      try {
        await candidate.backend.start();
        return await this.#choose(candidate);
      } catch (error) {
        if (i === last || !(error instanceof VipUnavailable)) throw error;
        this.#log.warn('vip: serving without what this machine cannot do', { error: errorText(error) });
      }
    }
  }

  async #choose(chosen: Candidate): Promise<void> {
    for (const other of this.#candidates) if (other !== chosen) await other.leave?.();
    this.#chosen = chosen.backend;
  }

  async apply(table: VipTable): Promise<readonly VipProblem[]> {
    await this.start();
    return this.#backend.apply(table);
  }

  connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    return this.#backend.connections(targets);
  }

  counters(): Promise<ReadonlyMap<string, VipCounters>> {
    return this.#backend.counters();
  }

  async audit(): Promise<readonly VipDrift[]> {
    return canAudit(this.#backend) ? this.#backend.audit() : [];
  }

  chosenBy(service: VipService): VipBalance | undefined {
    return canChoose(this.#backend) ? this.#backend.chosenBy(service) : undefined;
  }

  ejected(): ReadonlySet<string> {
    return canEject(this.#backend) ? this.#backend.ejected() : new Set();
  }

  /** `remove` is for all: an earlier process may have chosen otherwise. */
  async stop(options: { readonly remove?: boolean } = {}): Promise<void> {
    if (options.remove) for (const { backend } of this.#candidates) await backend.stop(options);
    else await this.#chosen?.stop(options);
    this.#chosen = undefined;
  }

  get #backend(): VipBackend {
    return this.#chosen ?? this.#candidates[0].backend;
  }
}
