import type { AgentView } from '../agent-view.ts';

/**
 * Agents, the one with the largest free share first, and by id among equals so that equal snapshots give equal decisions.
 * An agent must be removed before its share changes.
 */
export class Order {
  readonly #views: AgentView[] = [];

  get size(): number {
    return this.#views.length;
  }

  at(index: number): AgentView | undefined {
    return this.#views[index];
  }

  add(view: AgentView): void {
    this.#views.splice(this.#indexOf(view), 0, view);
  }

  remove(view: AgentView): void {
    const index = this.#indexOf(view);
    if (this.#views[index] === view) this.#views.splice(index, 1);
  }

  /** Where the agent is, or where it belongs. */
  #indexOf(view: AgentView): number {
    let low = 0;
    let high = this.#views.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.#views[middle]!, view)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function isBefore(a: AgentView, b: AgentView): boolean {
  return a.share > b.share || (a.share === b.share && a.agent.id < b.agent.id);
}
