const most = 100;
const atFirst = 10;

/**
 * How often requests of a pool may be sent a second time after a fresh connection was lost: a share of all requests, and ten
 * to begin with. A service that is drowning must not get its load doubled by us.
 */
export class RetryBudget {
  #left = atFirst;

  /** A request came, of whose kind so many in a hundred may be sent again. */
  earn(percent: number): void {
    if (this.#left < most) this.#left += percent / 100;
  }

  /** Whether one more may be sent again; takes it. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
