/** A value that changes, and those who want to know. Listeners are called in order, at once, with the new value. */
export class Watched<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(initial: T) {
    this.#value = initial;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  /** Returns the function that ends the subscription. */
  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with the first value (the present one counts) for which `accept` holds. */
  until(accept: (value: T) => boolean, signal?: AbortSignal): Promise<T> {
    if (accept(this.#value)) return Promise.resolve(this.#value);
    return new Promise((resolve, reject) => {
      const end = this.subscribe((value) => {
        if (!accept(value)) return;
        end();
        resolve(value);
      });
      signal?.addEventListener('abort', () => {
        end();
        reject(signal.reason);
      });
    });
  }
}
