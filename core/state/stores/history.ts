import type { Change } from '../store.ts';

type Link = { readonly revision: number; readonly change?: Change; next?: Link };

export type HistoryOptions = {
  /** Revision the data had when the history began. */
  readonly revision: number;
  /** How many changes to keep for those who come later; watchers under way never lose any. */
  readonly keep?: number;
};

/**
 * The changes of one process's life, in order, as a linked list: a watcher holds the last link it has seen, so what
 * nobody needs any more is collected, and a slow watcher costs nobody else.
 */
export class History {
  #oldest: Link;
  #newest: Link;
  #kept = 0;
  readonly #keep: number;
  readonly #waiting = new Set<() => void>();
  #closed = false;

  constructor(options: HistoryOptions) {
    this.#oldest = { revision: options.revision };
    this.#newest = this.#oldest;
    this.#keep = options.keep ?? 4_096;
  }

  get revision(): number {
    return this.#newest.revision;
  }

  append(change: Change): void {
    const link: Link = { revision: change.revision, change };
    this.#newest.next = link;
    this.#newest = link;
    this.#kept += 1;
    while (this.#kept > this.#keep && this.#oldest.next !== undefined) {
      this.#oldest = this.#oldest.next;
      this.#kept -= 1;
    }
    this.#wakeAll();
  }

  /** The changes after `revision`; undefined when they are not kept any more or are still to come. */
  after(revision: number, signal: AbortSignal): AsyncIterable<Change> | undefined {
    const start = this.#find(revision);
    return start === undefined ? undefined : this.#follow(start, signal);
  }

  /** What `after` would give without waiting. */
  since(revision: number): readonly Change[] | undefined {
    const changes: Change[] = [];
    const start = this.#find(revision);
    for (let link = start?.next; link !== undefined; link = link.next) {
      if (link.change !== undefined) changes.push(link.change);
    }
    return start === undefined ? undefined : changes;
  }

  /** Ends every watch. */
  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  async *#follow(start: Link, signal: AbortSignal): AsyncGenerator<Change> {
    let link = start;
    while (!signal.aborted && !this.#closed) {
      if (link.next === undefined) {
        await this.#appended(signal);
        continue;
      }
      link = link.next;
      if (link.change !== undefined) yield link.change;
    }
  }

  #find(revision: number): Link | undefined {
    if (revision === this.#newest.revision) return this.#newest;
    for (let link: Link | undefined = this.#oldest; link !== undefined; link = link.next) {
      if (link.revision === revision) return link;
    }
    return undefined;
  }

  #appended(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      signal.addEventListener('abort', wake);
      this.#waiting.add(wake);
    });
  }

  #wakeAll(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
