import { type BodyReader, bodyReader, requestFraming } from '../../http1/body.ts';
import { INCOMPLETE, REFUSED } from '../../http1/fields.ts';
import type { RequestHead } from '../../http1/request-head.ts';
import { clientFacts } from '../../request/client-facts.ts';
import { ClientInput, type InputUser } from '../../request/client-input.ts';
import type { ForwardOptions } from '../../request/exchange-request.ts';
import { exchangeRequest } from '../../request/exchange-request.ts';
import { HeadReader } from '../../request/head-reader.ts';
import { blockList } from '../../routes/route-policy.ts';
import { tableRoute } from '../../routes/table-route.ts';
import { defaultSettings } from '../../settings.ts';
import { createScratch, type Scratch } from '../../wire/scratch.ts';
import { route } from '../peers.ts';
import type { Reading, ReadMessage } from './llhttp.ts';

/** A request as the edge read it, and what its endpoint got of it. */
export type ForwardedRequest = ReadMessage & {
  readonly forwarded: string;
  /** Another request may follow. */
  readonly keeps: boolean;
};

export type EdgeReading = Pick<Reading, 'refused'> & { readonly messages: readonly ForwardedRequest[] };

/** Reads requests as the edge does, with its own input, heads, contents and forwarding, but without sockets. */
export class EdgeRequests {
  readonly #scratch = createScratch(defaultSettings.maxFields);
  readonly #forward = {
    kind: 'forward',
    route: tableRoute(route()),
    lease: undefined,
    changes: undefined,
  } as const;
  readonly #client = clientFacts(blockList([]), { remoteAddress: '192.0.2.1', scheme: 'http', port: 80 });
  readonly #options: ForwardOptions = {
    requestId: 'id',
    httpsPort: undefined,
    contentAs: 'coded',
    upstreams: undefined as never,
    chance: () => 0,
  };

  /** `cuts`: where the bytes come apart, ascending. */
  read(bytes: Buffer, cuts: readonly number[]): EdgeReading {
    const reader = new Requests(this.#scratch, (head) => this.#forwarded(head));
    const { readBuffer } = this.#scratch;
    let from = 0;
    for (const to of [...cuts, bytes.length]) {
      if (to === from) continue;
      // One buffer for all reads, as for real: whoever keeps a view of it sees the next piece.
      bytes.copy(readBuffer, 0, from, to);
      reader.take(readBuffer, to - from);
      from = to;
    }
    return reader;
  }

  #forwarded(head: RequestHead): string {
    return exchangeRequest(this.#forward, [this.#client, head], this.#options).forwarded;
  }
}

class Requests implements InputUser, EdgeReading {
  readonly messages: Draft[] = [];
  refused: string | undefined;
  readonly #scratch: Scratch;
  readonly #forward: (head: RequestHead) => string;
  readonly #heads: HeadReader;
  readonly #input: ClientInput;
  #body: BodyReader | undefined;
  #isOver = false;
  /** Bytes that were used. */
  #offset = 0;

  constructor(scratch: Scratch, forward: (head: RequestHead) => string) {
    this.#scratch = scratch;
    this.#forward = forward;
    this.#heads = new HeadReader({ scratch, settings: defaultSettings });
    this.#input = new ClientInput(this, defaultSettings.maxHeadBytes);
  }

  take(buffer: Buffer, length: number): void {
    this.#input.take(buffer, length);
  }

  get awaitsHead(): boolean {
    return this.#body === undefined;
  }

  flooded(): void {}

  step(buffer: Buffer, at: number, end: number): number {
    if (this.#isOver) return at;
    const next = this.#body === undefined ? this.#head(buffer, at, end) : this.#content(buffer, at, end);
    this.#offset += next - at;
    if (this.#body?.done === true) this.#complete(this.messages.at(-1)!);
    return next;
  }

  #head(buffer: Buffer, at: number, end: number): number {
    const next = this.#heads.read(buffer, at, end);
    if (next === INCOMPLETE) return at;
    if (next === REFUSED) return this.#refuse(this.#heads.fault.reason, end);
    const { head } = this.#heads;
    if (head === undefined) return next;
    this.messages.push(new Draft(head, this.#forward(head)));
    const { contentLength } = head;
    const { trailers: fields } = this.#scratch;
    this.#body = bodyReader({ framing: requestFraming(head), contentLength, as: 'coded', fields });
    return this.#content(buffer, next, end);
  }

  #content(buffer: Buffer, at: number, end: number): number {
    const body = this.#body!;
    const { slices } = this.#scratch;
    slices.clear();
    const next = body.read(buffer, at, end, slices);
    if (body.bad) return this.#refuse('malformed content', end);
    this.messages.at(-1)!.forwarded += slices.copy(buffer).toString('latin1');
    return next;
  }

  #complete(message: Draft): void {
    message.complete = true;
    message.end = this.#offset;
    this.#body = undefined;
    this.#isOver = !message.keeps;
  }

  #refuse(reason: string, end: number): number {
    this.refused = reason;
    this.#isOver = true;
    this.#body = undefined;
    this.#input.close();
    return end;
  }
}

class Draft implements ForwardedRequest {
  readonly method: string;
  readonly target: string;
  readonly status = 0;
  readonly fields: readonly (readonly [string, string])[];
  readonly keeps: boolean;
  readonly content = '';
  forwarded: string;
  complete = false;
  end = -1;

  constructor(head: RequestHead, forwarded: string) {
    const { text, fields, method, close, minor, keepAlive } = head;
    this.method = method;
    this.target = text.slice(method.length + 1, text.indexOf(' ', method.length + 1));
    this.fields = Array.from({ length: fields.count }, (_, i) => [
      fields.name(text, i),
      fields.value(text, i),
    ]);
    this.keeps = !close && (minor === 1 || keepAlive);
    this.forwarded = forwarded;
  }
}
