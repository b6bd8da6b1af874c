/** Choices that follow from a seed alone. */
export class Chance {
  #counter: number;

  constructor(seed: number) {
    this.#counter = seed >>> 0;
  }

  /** From 0 up to 1 (a 32-bit counter, mixed). */
  share(): number {
    this.#counter = (this.#counter + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(this.#counter ^ (this.#counter >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  }

  /** 0 up to `limit`, without it. */
  below(limit: number): number {
    return Math.floor(this.share() * limit);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  happens(share: number): boolean {
    return this.share() < share;
  }
}
