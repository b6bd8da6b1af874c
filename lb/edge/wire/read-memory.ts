const bytes = 65_536;

/**
 * Memory that a connection with much to carry reads into by itself, so that what it read can be written from there. If the kernel does
 * not take it at once, the writer keeps the memory, and the reader goes on with another piece.
 */
export class ReadMemory {
  #kept: Buffer | undefined;

  create(): Buffer {
    return Buffer.allocUnsafeSlow(bytes);
  }

  /** `memory` is still needed after this read: nothing more may be read into it. */
  keep(memory: Buffer): void {
    this.#kept = memory;
  }

  /** After a read into `memory`: where the next one goes. */
  next(memory: Buffer): Buffer {
    const isKept = this.#kept === memory;
    this.#kept = undefined;
    return isKept ? this.create() : memory;
  }
}
