import type { ServerHttp2Stream } from 'node:http2';
import { FieldTable } from '../http1/fields.ts';
import { keptTrailers } from '../http1/trailers.ts';

export interface ContentUser {
  /** The content as the endpoint gets it. */
  requestContent(bytes: Buffer | undefined, complete: boolean): void;
}

/** A request's content: from frames to what HTTP/1.1 makes of it. It flows only while it is wanted. */
export class StreamContent {
  readonly #stream: ServerHttp2Stream;
  readonly #chunked: boolean;
  readonly #user: ContentUser;
  #begun = false;
  #trailers = '';

  constructor(stream: ServerHttp2Stream, chunked: boolean, user: ContentUser) {
    this.#stream = stream;
    this.#chunked = chunked;
    this.#user = user;
    // They may be there before any content is wanted.
    stream.on('trailers', (_headers, _flags, raw: readonly string[]) => {
      this.#trailers = trailerLines(raw);
    });
  }

  /** The client's window is opened as this is read: a slow endpoint slows the client. */
  want(): void {
    if (this.#begun) {
      this.#stream.resume();
      return;
    }
    this.#begun = true;
    // Without content the stream has ended by itself, before anybody listened.
    if (this.#stream.readableEnded) {
      this.#user.requestContent(this.#end(), true);
      return;
    }
    this.#stream.on('data', (bytes: Buffer) => this.#user.requestContent(this.#coded(bytes), false));
    this.#stream.on('end', () => this.#user.requestContent(this.#end(), true));
  }

  #coded(bytes: Buffer): Buffer {
    if (!this.#chunked) return bytes;
    const size = Buffer.from(`${bytes.length.toString(16)}\r\n`, 'latin1');
    return Buffer.concat([size, bytes, lineEnd]);
  }

  #end(): Buffer | undefined {
    return this.#chunked ? Buffer.from(`0\r\n${this.#trailers}\r\n`, 'latin1') : undefined;
  }
}

const lineEnd = Buffer.from('\r\n');

const maxTrailerBytes = 8_192;
const maxTrailers = 32;

/** By the same rules as those of HTTP/1; all are left out of a section that HTTP/1 would refuse. */
function trailerLines(raw: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < raw.length; i += 2) lines += `${raw[i]}: ${raw[i + 1]}\r\n`;
  if (lines.length > maxTrailerBytes) return '';
  return keptTrailers(`${lines}\r\n`, new FieldTable(maxTrailers)) ?? '';
}
