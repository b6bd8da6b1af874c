import type { ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import type { ResponseHead } from '../http1/response-head.ts';
import { interimFields } from '../request/forward.ts';
import { pageParts } from '../request/pages.ts';
import type { PolicyAnswer } from '../request/policy-answer.ts';
import { fieldList } from './field-list.ts';
import { grpcFields } from './grpc.ts';
import { taken } from './taken.ts';

const internalError = 2;

/** How a page of the edge's own is to look. */
export type PageWishes = {
  readonly requestId: string;
  /** ms since the epoch. */
  readonly now: number;
  readonly headOnly: boolean;
  readonly json: boolean;
};

/** What is said on one HTTP/2 stream: heads, content, trailers, pages of our own. Nothing is said to a stream that is gone. */
export class StreamAnswer {
  /** Bytes of content. */
  written = 0;
  /** All was said, or nothing more is to be. */
  over = false;
  readonly #stream: ServerHttp2Stream;
  #trailers = '';

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    stream.on('wantTrailers', () => {
      if (!taken(() => stream.sendTrailers(trailersOf(this.#trailers)))) stream.close(internalError);
    });
  }

  get open(): boolean {
    return !this.over && !this.#stream.destroyed && !this.#stream.closed;
  }

  interim(head: ResponseHead): void {
    if (this.open) taken(() => this.#stream.additionalHeaders(headersOf(head.status, interimFields(head))));
  }

  /** False: these fields cannot be told in HTTP/2. */
  head(
    status: number,
    fields: string,
    options: Pick<ServerStreamResponseOptions, 'endStream' | 'waitForTrailers'>,
  ): boolean {
    const list = fieldList(fields, [':status', `${status}`]);
    return taken(() => this.#stream.respond(list, options));
  }

  content(bytes: Buffer | undefined): void {
    if (bytes === undefined || !this.open) return;
    this.written += bytes.length;
    this.#stream.write(bytes);
  }

  /** The upgrade that a client asked for by an extended CONNECT took place. */
  switched(head: ResponseHead): void {
    taken(() => this.#stream.respond(headersOf(200, interimFields(head))));
  }

  page(answer: PolicyAnswer, wishes: PageWishes): void {
    const { status, text, fields, contentType } = answer;
    const { headOnly } = wishes;
    const { fields: lines, body } = pageParts({ status, text, fields, contentType, ...wishes, close: false });
    this.head(status, lines, { endStream: headOnly });
    if (!headOnly) this.#stream.write(body, 'latin1');
  }

  grpc({ status, text }: PolicyAnswer, requestId: string): void {
    this.head(200, grpcFields(status, text, requestId), { endStream: true });
  }

  /** All was said. `trailers`: field lines, sent where the head promised some. */
  end(trailers = ''): void {
    this.#trailers = trailers;
    this.over = true;
    this.#stream.end();
  }

  /** Ends so that the client cannot take what it got for a whole answer. */
  break(): void {
    this.over = true;
    this.#stream.close(internalError);
  }
}

function headersOf(status: number, lines: string): Record<string, string | string[]> {
  const list = fieldList(lines);
  const headers: Record<string, string | string[]> = { ':status': `${status}` };
  for (let i = 0; i < list.length; i += 2) {
    const before = headers[list[i]!];
    const value = list[i + 1]!;
    headers[list[i]!] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}

function trailersOf(lines: string): Record<string, string | string[]> {
  const { ':status': _, ...trailers } = headersOf(200, lines);
  return trailers;
}
