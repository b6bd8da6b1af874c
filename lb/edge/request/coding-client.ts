import type { Compression } from '../../../core/model/route.ts';
import type { Framing } from '../http1/body.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { Slices } from '../http1/slices.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { ContentCoding } from './accept-encoding.ts';
import { type CoderUser, ContentCoder, isCodable } from './content-coder.ts';
import type { Answer, ExchangeClient } from './exchange-client.ts';

export type CodingOptions = {
  readonly encoding: ContentCoding;
  readonly compress: Compression;
  /** The endpoint may send more. */
  readonly resumed: () => void;
  readonly failed: () => void;
};

/** Stands between an exchange and its client, and codes the content of the answer if it is worth it. */
export class CodingClient implements ExchangeClient, CoderUser {
  readonly #client: ExchangeClient;
  readonly #options: CodingOptions;
  readonly #slices = new Slices();
  #coder: ContentCoder | undefined;
  #trailers = '';

  constructor(client: ExchangeClient, options: CodingOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Whether the answer with this head will be coded: then its content has to come without framing. */
  codes(head: ResponseHead, framing: Framing): boolean {
    const { encoding, compress } = this.#options;
    const codes = framing !== 'none' && isCodable(head, compress);
    if (codes) this.#coder = new ContentCoder(encoding, this);
    return codes;
  }

  /** The client took what waited for it. */
  drained(): void {
    this.#coder?.resume();
  }

  /** Nobody is there any more. */
  destroy(): void {
    this.#coder?.destroy();
  }

  get congested(): boolean {
    return this.#client.congested || this.#coder?.congested === true;
  }

  answer(answer: Answer, buffer: Buffer, content: Slices): void {
    if (this.#coder === undefined) {
      this.#client.answer(answer, buffer, content);
      return;
    }
    const first = content.taken(buffer);
    this.#slices.clear();
    this.#client.answer({ ...answer, encoding: this.#options.encoding }, buffer, this.#slices);
    if (first !== undefined) this.#coder.write(first);
  }

  content(buffer: Buffer, content: Slices): void {
    if (this.#coder === undefined) this.#client.content(buffer, content);
    else if (content.size > 0) this.#coder.write(content.copy(buffer));
  }

  /** The endpoint has said all; what is still being coded has to follow. */
  finished(trailers: string): void {
    this.#trailers = trailers;
    if (this.#coder === undefined) this.#client.finished(trailers);
    else this.#coder.end();
  }

  failed(status: number, text: string): void {
    this.#client.failed(status, text);
  }

  broken(): void {
    this.#coder?.destroy();
    this.#client.broken();
  }

  coded(bytes: Buffer): void {
    this.#slices.clear();
    this.#slices.add(0, bytes.length);
    this.#client.content(bytes, this.#slices);
    if (this.#client.congested) this.#coder?.pause();
    this.#client.touched();
  }

  codedAll(): void {
    this.#client.finished(this.#trailers);
  }

  codingFailed(): void {
    this.#options.failed();
  }

  coderDrained(): void {
    if (!this.#client.congested) this.#options.resumed();
  }

  wantContent(): void {
    this.#client.wantContent();
  }

  pause(): void {
    this.#client.pause();
  }

  resume(): void {
    this.#client.resume();
  }

  interim(head: ResponseHead): void {
    this.#client.interim(head);
  }

  switched(connection: Connection, head: ResponseHead, rest: string): void {
    this.#client.switched(connection, head, rest);
  }

  touched(): void {
    this.#client.touched();
  }
}
