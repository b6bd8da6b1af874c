import { ChunkedBody } from './chunked.ts';
import type { FieldTable } from './fields.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';
import type { Slices } from './slices.ts';

/** Finds the end of a message's content (RFC 9112 §6.3) and says which bytes to hand on. */
export interface BodyReader {
  readonly done: boolean;
  readonly bad: boolean;
  /** Trailer lines that may be handed on, each with its CRLF; known when done. */
  readonly trailers: string;
  read(buffer: Buffer, at: number, end: number, out: Slices): number;
}

/** How the content's end is known. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

export function requestFraming(head: RequestHead): Framing {
  if (head.chunked) return 'chunked';
  return (head.contentLength ?? 0) > 0 ? 'length' : 'none';
}

export function responseFraming(head: ResponseHead, method: string): Framing {
  if (method === 'HEAD' || head.status < 200 || head.status === 204 || head.status === 304) return 'none';
  if (head.chunked) return 'chunked';
  if (head.contentLength === undefined) return 'close';
  return head.contentLength === 0 ? 'none' : 'length';
}

export type BodyOptions = {
  readonly framing: Framing;
  readonly contentLength: number | undefined;
  readonly as: 'coded' | 'payload';
  readonly fields: FieldTable;
};

export function bodyReader(options: BodyOptions): BodyReader {
  switch (options.framing) {
    case 'none':
      return noBody;
    case 'length':
      return new LengthBody(options.contentLength ?? 0);
    case 'chunked':
      return new ChunkedBody(options);
    case 'close':
      return new LengthBody(Number.POSITIVE_INFINITY);
  }
}

const noBody: BodyReader = { done: true, bad: false, trailers: '', read: (_buffer, at) => at };

class LengthBody implements BodyReader {
  readonly bad = false;
  readonly trailers = '';
  #left: number;

  constructor(length: number) {
    this.#left = length;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  read(_buffer: Buffer, at: number, end: number, out: Slices): number {
    const take = Math.min(this.#left, end - at);
    if (take > 0) out.add(at, at + take);
    this.#left -= take;
    return at + take;
  }
}
