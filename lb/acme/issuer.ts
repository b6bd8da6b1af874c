import { errorCode, errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import { Loop } from '../../core/kit/loop.ts';
import type { Part } from '../../core/kit/part.ts';
import type { CertificateOrder, Issuance } from '../../core/model/issuance.ts';
import { nextFor, pauseAfter } from './decide.ts';
import { AuthorityUnreachable } from './failures.ts';
import { challengesOf, Ordering, type OrderingDependencies } from './ordering.ts';

export type IssuerDependencies = OrderingDependencies & { readonly log: Log };

const mostAtOnce = 8;
const unnotedMs = 5_000;
/** Clocks are set, machines sleep: nothing is waited for longer. */
const longestRestMs = 60_000;

/** Keeps every issuance in force: orders, renews, tries again. Runs where the master leads; all it knows is in the store. */
export class Issuer implements Part {
  readonly #dependencies: IssuerDependencies;
  readonly #loop: Loop;
  readonly #working = new Map<string, Promise<void>>();
  #stopping = new AbortController();
  #end: () => void = () => {};
  #restMs = longestRestMs;

  constructor(dependencies: IssuerDependencies) {
    const { clock, log } = dependencies;
    this.#dependencies = dependencies;
    this.#loop = new Loop(() => this.#round(), {
      name: 'issuer',
      clock,
      log,
      everyMs: () => this.#restMs,
    });
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#end = this.#dependencies.store.onChange(() => this.#loop.wake());
    await this.#loop.start();
  }

  /** What is under way stays in the store as it is: whoever leads next goes on with it. */
  async stop(): Promise<void> {
    this.#end();
    this.#stopping.abort();
    await this.#loop.stop();
    await Promise.all(this.#working.values());
  }

  async #round(): Promise<void> {
    const { store, clock } = this.#dependencies;
    await this.#sweep();
    const { issuances, orders, certificates } = store.read();
    const now = clock.now();
    this.#restMs = longestRestMs;
    for (const issuance of issuances.values()) {
      const { name } = issuance;
      const known = { issuance, order: orders.get(name), certificate: certificates.get(name) };
      const next = nextFor(known, now);
      if (next.kind === 'rest') this.#restMs = Math.min(this.#restMs, next.until - now);
      else if (!this.#working.has(name) && this.#working.size < mostAtOnce) this.#work(issuance, next.why);
    }
  }

  #work(issuance: Issuance, why: string): void {
    const { name } = issuance;
    const { log, clock } = this.#dependencies;
    const { signal } = this.#stopping;
    log.info('certificate: working', { name, hosts: issuance.hosts, because: why });
    const work = new Ordering(this.#dependencies, issuance, signal)
      .run()
      .then(
        () => log.info('certificate: issued', { name }),
        (error: unknown) => (signal.aborted ? undefined : this.#failed(issuance, error)),
      )
      // The store does not answer either: it is given a moment.
      .catch((error: unknown) => {
        log.error('certificate: cannot be noted', { name, error: errorText(error) });
        return clock.sleep(unnotedMs, signal).catch(() => {});
      })
      .finally(() => {
        this.#working.delete(name);
        if (!signal.aborted) this.#loop.wake();
      });
    this.#working.set(name, work);
  }

  async #failed({ name }: Issuance, error: unknown): Promise<void> {
    const { store, clock, log } = this.#dependencies;
    if (!store.read().issuances.has(name)) return;
    const { url, key, hosts, startedAt, step: _, ...known } = store.read().orders.get(name) ?? noOrder(name);
    const failures = known.failures + 1;
    const at = clock.now();
    const nextTryAt = at + pauseAfter(error, failures);
    const reason = errorText(error);
    log.warn('certificate: not issued', {
      name,
      reason,
      failures,
      nextTryAt: new Date(nextTryAt).toISOString(),
    });
    // An authority that could not be asked still has the order.
    const kept =
      error instanceof AuthorityUnreachable &&
      url !== undefined &&
      key !== undefined &&
      hosts !== undefined &&
      startedAt !== undefined;
    const lastFailure = { at, code: errorCode(error) ?? 'WEIR_ISSUANCE_FAILED', reason };
    await store.commit({
      order: { ...known, ...(kept && { url, key, hosts, startedAt }), failures, lastFailure, nextTryAt },
      challengesGone: challengesOf(store, name),
    });
  }

  /** What belongs to an issuance that was removed, or that ended while nobody could note it. */
  async #sweep(): Promise<void> {
    const { store } = this.#dependencies;
    const { orders, challenges, issuances } = store.read();
    for (const name of orders.keys())
      if (!issuances.has(name) && !this.#working.has(name)) await store.commit({ orderGone: name });
    const gone = [...challenges.values()]
      .filter(({ issuance }) => !issuances.has(issuance))
      .map(({ key }) => key);
    if (gone.length > 0) await store.commit({ challengesGone: gone });
  }
}

function noOrder(name: string): CertificateOrder {
  return { name, failures: 0 };
}
