import type { ServerHttp2Stream } from 'node:http2';

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

/** What must not come after the content is left out; more than this is an attack. */
const maxTrailerBytes = 8_192;
const forbidden =
  /^(:.*|content-.*|transfer-encoding|connection|te|trailer|host|cookie|set-cookie|authorization|proxy-.*|expect|x-forwarded-.*|x-request-id|forwarded)$/;

function trailerLines(raw: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < raw.length; i += 2)
    if (!forbidden.test(raw[i]!)) lines += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return lines.length > maxTrailerBytes ? '' : lines;
}
