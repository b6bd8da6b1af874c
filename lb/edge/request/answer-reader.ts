import { type BodyReader, bodyReader, type Framing, responseFraming } from '../http1/body.ts';
import { isFault } from '../http1/facts.ts';
import { INCOMPLETE } from '../http1/fields.ts';
import { latin1 } from '../http1/latin1.ts';
import { type ResponseHead, readResponse, scanResponse } from '../http1/response-head.ts';
import type { Slices } from '../http1/slices.ts';
import { Backlog } from '../listeners/backlog.ts';
import type { EdgeSettings } from '../settings.ts';
import type { Scratch } from '../wire/scratch.ts';

/** Who is told what comes of an endpoint's answer. Bytes and slices are valid during the call only. */
export interface AnswerUser {
  /** An answer before the answer: 1xx but 101. */
  interim(head: ResponseHead): void;
  /** 101: all that follows is the other protocol's. */
  switching(head: ResponseHead, rest: string): void;
  /** The final answer's head came. True: it is of no use, and the request goes elsewhere. */
  declines(head: ResponseHead): boolean;
  /** How the content of this answer is to be handed on: `coded` as it came, `payload` without its framing. */
  contentAs(head: ResponseHead, framing: Framing): 'coded' | 'payload';
  /** The final answer's head, with what came of its content. */
  begun(head: ResponseHead, buffer: Buffer, content: Slices): void;
  content(buffer: Buffer, content: Slices): void;
  /** What was just told is not all of it. */
  unfinished(): void;
  /** The answer is complete. `extra`: the endpoint sent more than it. */
  completed(extra: boolean): void;
  /** What came is no answer. */
  unreadable(): void;
}

/** They are handed on whether or not the client takes them: an endpoint that says more of them than this has no answer. */
const maxInterims = 32;

/** Reads one answer of an endpoint from pieces cut anywhere. */
export class AnswerReader {
  /** The final answer's head, once it has come. */
  head: ResponseHead | undefined;
  framing: Framing = 'none';
  readonly #scratch: Scratch;
  readonly #settings: EdgeSettings;
  /** Of the request: it decides which answers have content. */
  readonly #method: string;
  readonly #user: AnswerUser;
  #body: BodyReader | undefined;
  #backlog: Backlog | undefined;
  #interims = 0;

  constructor(
    { scratch, settings }: { readonly scratch: Scratch; readonly settings: EdgeSettings },
    method: string,
    user: AnswerUser,
  ) {
    this.#scratch = scratch;
    this.#settings = settings;
    this.#method = method;
    this.#user = user;
  }

  /** Trailer lines that came with a chunked answer; known when it is complete. */
  get trailers(): string {
    return this.#body?.trailers ?? '';
  }

  bytes(buffer: Buffer, length: number): void {
    if (this.#body !== undefined) {
      this.#contentBytes(buffer, 0, length);
      return;
    }
    const backlog = this.#backlog;
    if (backlog === undefined) {
      this.#headBytes(buffer, 0, length);
      return;
    }
    backlog.append(buffer, 0, length);
    this.#backlog = undefined;
    this.#headBytes(backlog.bytes, backlog.start, backlog.end);
  }

  #headBytes(buffer: Buffer, start: number, end: number): void {
    const { response: scan } = this.#scratch;
    for (let at = start; at < end; ) {
      const window = Math.min(end, at + this.#settings.maxHeadBytes);
      const next = scanResponse(buffer, at, window, scan);
      if (next === INCOMPLETE && window === end) {
        this.#backlog = new Backlog();
        this.#backlog.append(buffer, at, end);
        return;
      }
      const head = next < 0 ? scan.fields.fault : readResponse(latin1(buffer, at, next), scan);
      if (isFault(head)) {
        this.#user.unreadable();
        return;
      }
      if (head.status === 101) {
        this.#user.switching(head, buffer.toString('latin1', next, end));
        return;
      }
      if (head.status >= 200) {
        this.#begin(head, buffer, next, end);
        return;
      }
      if (++this.#interims > maxInterims) {
        this.#user.unreadable();
        return;
      }
      this.#user.interim(head);
      at = next;
    }
  }

  #begin(head: ResponseHead, buffer: Buffer, at: number, end: number): void {
    if (this.#user.declines(head)) return;
    const { slices, trailers } = this.#scratch;
    const framing = responseFraming(head, this.#method);
    const as = this.#user.contentAs(head, framing);
    const body = bodyReader({ framing, contentLength: head.contentLength, as, fields: trailers });
    this.head = head;
    this.framing = framing;
    this.#body = body;
    slices.clear();
    const next = body.read(buffer, at, end, slices);
    this.#user.begun(head, buffer, slices);
    this.#settle(body, next < end);
  }

  #contentBytes(buffer: Buffer, at: number, end: number): void {
    const { slices } = this.#scratch;
    const body = this.#body!;
    slices.clear();
    const next = body.read(buffer, at, end, slices);
    slices.lent = buffer !== this.#scratch.readBuffer;
    this.#user.content(buffer, slices);
    this.#settle(body, next < end);
  }

  #settle(body: BodyReader, extra: boolean): void {
    if (body.bad) this.#user.unreadable();
    else if (body.done) this.#user.completed(extra);
    else this.#user.unfinished();
  }
}
