import type { AgentView } from '../agent-view.ts';

/** Large enough to have few blocks, small enough that shifting one is nothing (measured with `bench/place`). */
const fullBlock = 128;

/**
 * Agents, the one with the highest rank first, and by id among equals so that equal snapshots give equal decisions.
 * An agent must be removed before its share changes. Kept in blocks: in one long array most of a placement would be spent
 * on shifting it.
 */
export class Order {
  readonly #blocks: AgentView[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(view: AgentView): void {
    this.#size += 1;
    const at = this.#blockOf(view);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([view]);
      return;
    }
    block.splice(indexIn(block, view), 0, view);
    if (block.length > fullBlock) this.#blocks.splice(at + 1, 0, block.splice(fullBlock / 2));
  }

  remove(view: AgentView): void {
    const at = this.#blockOf(view);
    const block = this.#blocks[at];
    if (block === undefined) return;
    const index = indexIn(block, view);
    if (block[index] !== view) return;
    this.#size -= 1;
    block.splice(index, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** From the first on. The order must not change while it is read. */
  read(): Cursor {
    return new Cursor(this.#blocks);
  }

  /** The block the agent is in, or belongs to: the last one that does not begin after it. */
  #blockOf(view: AgentView): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(view, this.#blocks[middle]![0]!)) high = middle;
      else low = middle + 1;
    }
    return Math.max(0, low - 1);
  }
}

/** A place in an order. */
export class Cursor {
  readonly #blocks: readonly (readonly AgentView[])[];
  #block = 0;
  #index = 0;

  constructor(blocks: readonly (readonly AgentView[])[]) {
    this.#blocks = blocks;
  }

  /** Undefined at the end. */
  get view(): AgentView | undefined {
    return this.#blocks[this.#block]?.[this.#index];
  }

  advance(): void {
    this.#index += 1;
    if (this.#index < this.#blocks[this.#block]!.length) return;
    this.#block += 1;
    this.#index = 0;
  }
}

export function isBefore(a: AgentView, b: AgentView): boolean {
  return a.rank > b.rank || (a.rank === b.rank && a.agent.id < b.agent.id);
}

function indexIn(block: readonly AgentView[], view: AgentView): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(block[middle]!, view)) low = middle + 1;
    else high = middle;
  }
  return low;
}
