import type { Clock } from '../../../../core/kit/clock.ts';
import { errorText } from '../../../../core/kit/errors.ts';
import type { Log } from '../../../../core/kit/log.ts';
import type { Flow } from './conntrack.ts';
import { endLate, expectLate, forgetLate, lateMs } from './late.ts';
import type { Nft } from './nft.ts';

type Parts = { readonly nft: Nft; readonly clock: Clock | undefined; readonly log: Log };

/** Answers that are under way to UDP flows that moved, as long as they are expected. */
export class LateAnswers {
  readonly #parts: Parts;
  #until: number | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** To be called when their flows are about to be forgotten. */
  async expect(stale: readonly Flow[]): Promise<void> {
    const { nft, clock, log } = this.#parts;
    try {
      const expected = expectLate(nft.own, stale);
      await nft.perform(expected).catch(() => nft.perform(forgetLate(nft.own) + expected));
      this.#until = (clock?.now() ?? 0) + lateMs;
    } catch (error) {
      // A kernel without zones: who asked asks again, as clients of UDP do.
      log.debug('answers under way to UDP flows that move are lost', { error: errorText(error) });
    }
  }

  /** Once nobody is expected any more packets need not be looked at. */
  async end(now: number): Promise<void> {
    const { nft } = this.#parts;
    if (this.#until === undefined || now < this.#until) return;
    this.#until = undefined;
    await nft.alone(() => nft.perform(endLate(nft.own))).catch(() => {});
  }
}
