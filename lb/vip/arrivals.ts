import { decide } from './decide.ts';
import { targetKey, type VipTable } from './table.ts';

/** No note of a failure is kept for longer, ms. */
const keptMs = 5_000;

/** Since when backends are where they are, of those that came lately: what was seen there before was about somebody else. */
export class Arrivals {
  readonly #at = new Map<string, number>();

  /** Places (`targetKey`) that have another backend than before, or one that had left. */
  observe(before: VipTable, after: VipTable, now: number): readonly string[] {
    for (const [place, at] of this.#at) {
      if (now - at <= keptMs) break;
      this.#at.delete(place);
    }
    const come = decide(before, after).flatMap((change) => {
      if (change.type === 'remove') return [];
      const { protocol, backends } = change.service;
      const former = change.type === 'change' ? change.before.backends : [];
      const known = new Map(former.map((target) => [targetKey(protocol, target), target.instanceId]));
      return backends.flatMap((target) => {
        const place = targetKey(protocol, target);
        return known.get(place) === target.instanceId ? [] : [place];
      });
    });
    for (const place of come) {
      // The oldest first.
      this.#at.delete(place);
      this.#at.set(place, now);
    }
    return come;
  }

  /** Whether what was seen of a place at a moment was about who is there now. */
  isOfPresent(place: string, at: number): boolean {
    return at > (this.#at.get(place) ?? Number.NEGATIVE_INFINITY);
  }
}
