import type { Http2Stream } from 'node:http2';
import type { Pipe } from '../wire/pipe.ts';

/** CANCEL (RFC 9113 §7). */
const cancel = 8;

/** A stream that has become a tunnel. */
export class StreamPipe implements Pipe {
  readonly #stream: Http2Stream;

  constructor(stream: Http2Stream) {
    this.#stream = stream;
  }

  get congested(): boolean {
    return this.#stream.writableNeedDrain;
  }

  get open(): boolean {
    return !this.#stream.destroyed && this.#stream.writable;
  }

  write(text: string): void {
    if (this.open && text !== '') this.#stream.write(text, 'latin1');
  }

  writeBytes(bytes: Buffer): void {
    if (this.open) this.#stream.write(bytes);
  }

  writeBoth(head: string, bytes: Buffer): void {
    this.write(head);
    this.writeBytes(bytes);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(): void {
    this.#stream.end();
  }

  leave(): void {
    if (!this.#stream.writableEnded) this.destroy();
  }

  /** As a connection that breaks off (RFC 8441 §5). */
  destroy(): void {
    this.#stream.close(cancel);
  }
}
