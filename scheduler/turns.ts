/**
 * One at a time, in the order asked: whoever has the turn reads everything the one before wrote. The scheduler is the only
 * writer of its tables, so with turns its writes need no compare-and-set.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Resolves when everybody who asked so far has had his turn. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
