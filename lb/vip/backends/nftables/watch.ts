import type { Clock } from '../../../../core/kit/clock.ts';
import { errorText } from '../../../../core/kit/errors.ts';
import type { Log } from '../../../../core/kit/log.ts';
import { Loop } from '../../../../core/kit/loop.ts';
import { Arrivals } from '../../arrivals.ts';
import { backendsAmong, Ejections, withoutEjected } from '../../ejections.ts';
import type { reaches } from '../../reaches.ts';
import { emptyTable, type VipTable } from '../../table.ts';
import { type Failures, failures, type Notes } from './notes.ts';

export type WatchParts = {
  readonly clock: Clock;
  readonly log: Log;
  /** For the log: `vip`. */
  readonly about: string;
  /** What the kernel lists of a set of the rules' notes. */
  readonly read: (notes: Notes) => Promise<string>;
  /** Whether a backend takes connections again. Absent: clients find out. */
  readonly reaches?: typeof reaches | undefined;
  /** Puts `tried` in force. */
  readonly follow: () => Promise<unknown>;
  /** After each look. */
  readonly looked: (now: number) => Promise<void>;
};

/** How often the rules' notes are read, ms. */
const everyMs = 250;

/**
 * Who takes no connections, as the rules noted: left alone for a while, and asked again before clients are. Rules note every
 * connection that passes; only those to who is a backend, and was one then, count.
 */
export class Watch {
  readonly #parts: WatchParts;
  readonly #ejections = new Ejections();
  readonly #arrivals = new Arrivals();
  readonly #loop: Loop;
  #wanted: VipTable = emptyTable;
  #lookedAt = 0;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    const { clock, log, about } = parts;
    this.#loop = new Loop(() => this.#look(), { name: `${about}-watch`, clock, log, everyMs });
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Who comes to a place begins anew there. */
  want(table: VipTable): void {
    const came = this.#arrivals.observe(this.#wanted, table, this.#parts.clock.now());
    for (const place of came) this.#ejections.forget(place);
    this.#wanted = table;
  }

  /** Of what is wanted: what connections may be tried with at the moment. */
  get tried(): VipTable {
    return withoutEjected(this.#wanted, this.ejected());
  }

  /** Backends that are left alone (`targetKey`). Between two looks nobody is given back: clients would find out. */
  ejected(): ReadonlySet<string> {
    return this.#ejections.active(this.#lookedAt);
  }

  async #look(): Promise<void> {
    const { clock, log, about, reaches, follow, looked } = this.#parts;
    const now = clock.now();
    const fresh = this.#eject(await failures(this.#parts.read, now - this.#lookedAt + everyMs / 5), now);
    if (reaches !== undefined)
      for (const place of this.#ejections.hold(this.#lookedAt, now)) void this.#askAgain(place);
    const back = this.#ejections.expired(this.#lookedAt, now);
    this.#lookedAt = now;
    for (const target of fresh)
      log.info(`${about}: a backend takes no connections, leaving it alone`, { target });
    if (fresh.length > 0 || back) await follow();
    await looked(now);
  }

  /** Those who are left alone from now on. */
  #eject({ refused, silent }: Failures, now: number): readonly string[] {
    const places = new Set([...refused, ...silent].map(({ place }) => place));
    const known = backendsAmong(this.#wanted, places);
    const counts = ({ place, ageMs }: Failures['refused'][number]) =>
      known.has(place) && this.#arrivals.isOfPresent(place, now - ageMs);
    const failed = (all: Failures['refused'], options = {}) =>
      all.filter((note) => counts(note) && this.#ejections.failed(note.place, now, options));
    return [...failed(silent, { silent: true }), ...failed(refused)].map(({ place }) => place);
  }

  /** Whoever is no backend any more is not asked. */
  async #askAgain(place: string): Promise<void> {
    const { clock, log, about, reaches, follow } = this.#parts;
    const known = backendsAmong(this.#wanted, new Set([place])).get(place);
    const answers = known === undefined || (await reaches?.(known)) === true;
    if (!this.#ejections.asked(place, answers, clock.now()) || !answers) return;
    await follow().catch((error: unknown) =>
      log.warn(`${about}: a backend that answers again is not taken back yet`, { error: errorText(error) }),
    );
  }
}
