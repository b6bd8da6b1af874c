import type { ActiveCheck } from '../../../core/model/route.ts';
import { probe } from './probe.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamContext } from './upstream-context.ts';

const usual = { intervalMs: 5_000, fall: 3, rise: 2 };

/** Results of one endpoint since it last was the other: bad ones while well, good ones while sick. */
type Standing = { sick: boolean; streak: number };

/** Asks the endpoints of one pool by itself, whatever requests say about them. Who was never asked counts as well. */
export class ActiveChecks {
  readonly #context: UpstreamContext;
  readonly #check: ActiveCheck;
  readonly #standings = new Map<Upstream, Standing>();
  readonly #stopped = new AbortController();

  constructor(context: UpstreamContext, check: ActiveCheck) {
    this.#context = context;
    this.#check = check;
    void this.#run();
  }

  /** From now on these are asked. */
  follow(upstreams: readonly Upstream[]): void {
    const wanted = new Set(upstreams);
    for (const upstream of this.#standings.keys())
      if (!wanted.has(upstream)) this.#standings.delete(upstream);
    for (const upstream of wanted)
      if (!this.#standings.has(upstream)) this.#standings.set(upstream, { sick: false, streak: 0 });
  }

  isSick(upstream: Upstream): boolean {
    return this.#standings.get(upstream)?.sick === true;
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      await Promise.all([...this.#standings].map((entry) => this.#ask(entry)));
      await this.#context.clock.sleep(this.#check.intervalMs ?? usual.intervalMs, signal).catch(() => {});
    }
  }

  async #ask([upstream, standing]: readonly [Upstream, Standing]): Promise<void> {
    const well = await probe(this.#context, upstream.endpoint, this.#check);
    const { fall = usual.fall, rise = usual.rise } = this.#check;
    // A result that only confirms what is known begins the count anew.
    standing.streak = well === standing.sick ? standing.streak + 1 : 0;
    if (standing.streak < (standing.sick ? rise : fall)) return;
    standing.sick = !standing.sick;
    standing.streak = 0;
  }
}
