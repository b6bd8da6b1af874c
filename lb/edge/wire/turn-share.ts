/** Something that brings much, and can wait. */
export interface Holdable {
  /** Nothing more is wanted of it until `release`. */
  hold(): void;
  release(): void;
}

/** What one turn of the event loop may carry of what comes in large pieces. */
const bytesATurn = 1_048_576;
/** A piece of each of them is about as much. */
const releasedATurn = 16;

/**
 * Lets those who carry much take turns, so that a turn of the event loop stays short for those who ask for little: beside 250 downloads
 * a small request would wait for a piece of each of them, twice. Whoever is alone is not held up.
 */
export class TurnShare {
  #left = bytesATurn;
  #isCounting = false;
  /** Who waits, the longest first. */
  #held: Holdable[] = [];

  /** `one` brought so much, and may have more. */
  took(one: Holdable, bytes: number): void {
    this.#left -= bytes;
    if (!this.#isCounting) this.#count();
    if (this.#left > 0 && this.#held.length === 0) return;
    one.hold();
    this.#held.push(one);
  }

  #count(): void {
    this.#isCounting = true;
    setImmediate(this.#next);
  }

  readonly #next = () => {
    this.#isCounting = false;
    this.#left = bytesATurn;
    if (this.#held.length === 0) return;
    const released = this.#held.splice(0, releasedATurn);
    for (const one of released) one.release();
    if (this.#held.length > 0) this.#count();
  };
}
