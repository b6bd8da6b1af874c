/** How many connections are open, by backend. */
export class OpenCount {
  readonly #counts = new Map<string, number>();

  /** Counts one in; the function it gives counts it out, once. */
  enter(key: string): () => void {
    this.#counts.set(key, this.of(key) + 1);
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      const left = this.of(key) - 1;
      if (left === 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    };
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }
}
