import type { AgentView } from '../agent-view.ts';
import { type Cursor, isBefore, type Order } from './order.ts';

/** Goes through several orders as if they were one. The orders must not change on the way. */
export class Walk {
  readonly #cursors: readonly Cursor[];

  constructor(orders: readonly Order[]) {
    this.#cursors = orders.map((order) => order.read());
  }

  next(): AgentView | undefined {
    let best: AgentView | undefined;
    let from: Cursor | undefined;
    for (const cursor of this.#cursors) {
      const { view } = cursor;
      if (view === undefined || (best !== undefined && !isBefore(view, best))) continue;
      best = view;
      from = cursor;
    }
    from?.advance();
    return best;
  }
}
