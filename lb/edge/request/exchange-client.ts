import type { Framing } from '../http1/body.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { Slices } from '../http1/slices.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { ContentCoding } from './accept-encoding.ts';

/** What an exchange needs of whoever brought its request: a connection of HTTP/1, or a stream. */
export interface ExchangeClient {
  /** More waits to be sent to the client than is good; `drained` of the exchange follows. */
  readonly congested: boolean;
  /** The endpoint takes the request's content now. */
  wantContent(): void;
  /** The endpoint is slow: no more content for now, until `resume`. */
  pause(): void;
  resume(): void;
  interim(head: ResponseHead): void;
  /** The answer begins, with what came of its content. */
  answer(answer: Answer, buffer: Buffer, content: Slices): void;
  content(buffer: Buffer, content: Slices): void;
  /** The whole answer was given. `trailers`: lines, each with its CRLF; they were part of `content` where that comes coded. */
  finished(trailers: string): void;
  /** No answer was begun: the edge answers itself. */
  failed(status: number, text: string): void;
  /** An answer was begun and cannot be completed. */
  broken(): void;
  /** The endpoint agreed to an upgrade; `rest`: what followed its answer. */
  switched(connection: Connection, head: ResponseHead, rest: string): void;
  /** Puts off the deadline of whoever must move next. */
  touched(): void;
}

export type Answer = {
  readonly head: ResponseHead;
  readonly framing: Framing;
  /** The endpoint's name in cookies; empty when clients do not stay. */
  readonly endpoint: string;
  /** The content comes in this coding, without framing and of unknown length; undefined: as the endpoint sent it. */
  readonly encoding: ContentCoding | undefined;
};
