const perRequest = 0.2;
const most = 100;
const atFirst = 10;

/**
 * How often requests of a pool may be sent a second time after a fresh connection was lost: one for five requests, and ten
 * to begin with. A service that is drowning must not get its load doubled by us.
 */
export class RetryBudget {
  #left = atFirst;

  /** A request came. */
  earn(): void {
    if (this.#left < most) this.#left += perRequest;
  }

  /** Whether one more may be sent again; takes it. */
  spend(): boolean {
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
