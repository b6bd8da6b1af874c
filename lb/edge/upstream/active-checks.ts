import type { CheckPlan, PoolEndpoint } from '../routes/route-table.ts';
import { probe } from './probe.ts';
import type { Upstream } from './upstream.ts';
import type { UpstreamContext } from './upstream-context.ts';

const usual = { intervalMs: 5_000, fall: 3, rise: 2 };

/** Results of one endpoint since it last was the other: bad ones while well, good ones while sick. */
type Standing = { endpoint: PoolEndpoint; sick: boolean; streak: number };

/** `endpoints`: of these upstreams as the pool has them: where each is asked is the pool's own. */
type Followed = { readonly upstreams: readonly Upstream[]; readonly endpoints: readonly PoolEndpoint[] };

/** Asks the endpoints of one pool by itself, whatever requests say about them. Who was never asked counts as well. */
export class ActiveChecks {
  readonly #context: UpstreamContext;
  readonly #check: CheckPlan;
  readonly #standings = new Map<Upstream, Standing>();
  readonly #stopped = new AbortController();

  constructor(context: UpstreamContext, check: CheckPlan) {
    this.#context = context;
    this.#check = check;
    void this.#run();
  }

  /** From now on these are asked. */
  follow({ upstreams, endpoints }: Followed): void {
    const wanted = new Set(upstreams);
    for (const upstream of this.#standings.keys())
      if (!wanted.has(upstream)) this.#standings.delete(upstream);
    for (const [n, upstream] of upstreams.entries()) {
      const endpoint = endpoints[n] ?? upstream.endpoint;
      const standing = this.#standings.get(upstream);
      if (standing === undefined) this.#standings.set(upstream, { endpoint, sick: false, streak: 0 });
      else standing.endpoint = endpoint;
    }
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
      await Promise.all([...this.#standings.values()].map((standing) => this.#ask(standing)));
      await this.#context.clock.sleep(this.#check.intervalMs ?? usual.intervalMs, signal).catch(() => {});
    }
  }

  async #ask(standing: Standing): Promise<void> {
    const well = await probe(this.#context, standing.endpoint, this.#check);
    const { fall = usual.fall, rise = usual.rise } = this.#check;
    // A result that only confirms what is known begins the count anew.
    standing.streak = well === standing.sick ? standing.streak + 1 : 0;
    if (standing.streak < (standing.sick ? rise : fall)) return;
    standing.sick = !standing.sick;
    standing.streak = 0;
  }
}
