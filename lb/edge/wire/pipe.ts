/** Bytes out, with back-pressure: a connection, or a stream of one. */
export interface Pipe {
  /** More waits to be sent than is good. */
  readonly congested: boolean;
  readonly open: boolean;
  /** One character per byte. */
  write(text: string): void;
  /** `bytes` belong to the pipe from now on. */
  writeBytes(bytes: Buffer): void;
  /** `head` and `bytes` at once. */
  writeBoth(head: string, bytes: Buffer): void;
  /** It may be silent for long from now on: notices by itself, where it can, that the other side is gone without a word. */
  watch?(): void;
  pause(): void;
  resume(): void;
  /** Sends what is left, then says that no more comes. */
  end(): void;
  /** The other side of a tunnel is gone: ends cleanly if it ended cleanly. */
  leave(): void;
  destroy(): void;
}
