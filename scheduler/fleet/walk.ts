import type { AgentView } from '../agent-view.ts';
import { isBefore, type Order } from './order.ts';

/** Goes through several orders as if they were one. The orders must not change on the way. */
export class Walk {
  readonly #orders: readonly Order[];
  readonly #next: number[];

  constructor(orders: readonly Order[]) {
    this.#orders = orders;
    this.#next = orders.map(() => 0);
  }

  next(): AgentView | undefined {
    let best: AgentView | undefined;
    let from = -1;
    for (let index = 0; index < this.#orders.length; index++) {
      const view = this.#orders[index]!.at(this.#next[index]!);
      if (view === undefined || (best !== undefined && !isBefore(view, best))) continue;
      best = view;
      from = index;
    }
    if (from >= 0) this.#next[from]! += 1;
    return best;
  }
}
