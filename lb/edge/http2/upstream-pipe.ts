import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { type BodyReader, bodyReader, requestFraming } from '../http1/body.ts';
import { FieldTable } from '../http1/fields.ts';
import { readRequest, requestScan, scanRequest } from '../http1/request-head.ts';
import { Slices } from '../http1/slices.ts';
import type { Pipe } from '../wire/pipe.ts';
import type { WireUser } from '../wire/wire.ts';
import { fieldList } from './field-list.ts';
import { taken } from './taken.ts';
import type { UpstreamSession } from './upstream-session.ts';

const cancel = 8;
const endStreamFlag = 1;
/** The head was made here from one that was judged. */
const maxFields = 512;
const maxTrailers = 32;
const lineEnd = Buffer.from('\r\n');

/**
 * One exchange with an endpoint that speaks HTTP/2, in the words of HTTP/1.1: what is written is a request of HTTP/1.1, what is told an
 * answer of it. So everything about an exchange (retries, time, coding, copies) is the same for both protocols.
 */
export class UpstreamPipe implements Pipe {
  readonly #owner: UpstreamSession;
  readonly #user: WireUser;
  #session: ClientHttp2Session | undefined;
  #stream: ClientHttp2Stream | undefined;
  #body: BodyReader | undefined;
  #closed = false;
  #endedAtOnce = false;
  /** Of the answer: its content is told in chunks. */
  #chunked = false;
  #trailers = '';

  constructor(owner: UpstreamSession, user: WireUser, connected: () => void) {
    this.#owner = owner;
    this.#user = user;
    owner.enter();
    this.#session = owner.session;
    if (this.#session !== undefined) connected();
    else this.#await(connected);
  }

  get congested(): boolean {
    return this.#stream?.writableNeedDrain === true;
  }

  get open(): boolean {
    return !this.#closed;
  }

  write(text: string): void {
    this.writeBytes(Buffer.from(text, 'latin1'));
  }

  writeBytes(bytes: Buffer): void {
    if (this.#closed) return;
    if (this.#stream === undefined) this.#begin(bytes);
    else this.#content(bytes, 0);
  }

  writeBoth(head: string, bytes: Buffer): void {
    this.write(head);
    this.writeBytes(bytes);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  end(): void {
    this.#stream?.end();
  }

  leave(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#stream !== undefined && !this.#stream.closed) this.#stream.close(cancel);
    this.#owner.leave();
    // As with a connection, its user learns of the end after the call that ended it.
    queueMicrotask(() => this.#user.closed());
  }

  #await(connected: () => void): void {
    this.#owner.ready.then(
      (session) => {
        this.#session = session;
        if (!this.#closed) connected();
      },
      () => this.destroy(),
    );
  }

  /** The head comes whole, with the first write. */
  #begin(bytes: Buffer): void {
    const scan = requestScan(new FieldTable(maxFields));
    const end = scanRequest(bytes, 0, bytes.length, scan);
    const text = bytes.toString('latin1', 0, Math.max(0, end));
    const head = end > 0 ? readRequest(text, scan) : undefined;
    if (head === undefined || 'reason' in head) {
      this.destroy();
      return;
    }
    const framing = requestFraming(head);
    this.#body = bodyReader({
      framing,
      contentLength: head.contentLength,
      as: 'payload',
      fields: new FieldTable(maxTrailers),
    });
    this.#open(head.method, head.target, head.host?.text ?? '', text.slice(head.fieldsStart, -2));
    this.#content(bytes, end);
  }

  #open(method: string, path: string, authority: string, lines: string): void {
    const headers: OutgoingHttpHeaders = {
      ':method': method,
      ':path': path,
      ':scheme': 'http',
      ':authority': authority,
      // We hand trailers on, and gRPC's servers want it said.
      te: 'trailers',
    };
    addFields(headers, fieldList(lines));
    delete headers.host;
    const endStream = this.#body?.done === true;
    this.#endedAtOnce = endStream;
    const stream = this.#request(headers, endStream);
    if (stream === undefined) {
      this.destroy();
      return;
    }
    this.#stream = stream;
    stream.on('error', () => {});
    stream.on('wantTrailers', () => {
      if (!taken(() => stream.sendTrailers(addFields({}, fieldList(this.#sentTrailers)))))
        stream.close(cancel);
    });
    stream.on('headers', ({ ':status': status = 100 }, _flags, raw) => this.#interim(status, raw));
    stream.on('response', ({ ':status': status = 0 }, flags, raw) => this.#answer(status, flags, raw));
    stream.on('drain', () => this.#tell(() => this.#user.drained()));
    stream.on('close', () => this.destroy());
  }

  /** Undefined: the session has just ended, or a field is there twice that HTTP/2 allows once. */
  #request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream | undefined {
    let stream: ClientHttp2Stream | undefined;
    taken(() => {
      stream = this.#session!.request(headers, { endStream, waitForTrailers: !endStream });
    });
    return stream;
  }

  get #sentTrailers(): string {
    return this.#body?.trailers ?? '';
  }

  #content(bytes: Buffer, at: number): void {
    const body = this.#body;
    if (body === undefined || this.#stream === undefined || this.#stream.writableEnded) return;
    if (at < bytes.length) {
      const slices = new Slices();
      body.read(bytes, at, bytes.length, slices);
      const content = slices.taken(bytes);
      if (content !== undefined) this.#stream.write(content);
    }
    if (body.done && !this.#endedAtOnce) this.#stream.end();
  }

  #interim(status: number, raw: readonly string[]): void {
    this.#say(`HTTP/1.1 ${status} \r\n${linesOf(raw)}\r\n`);
  }

  #answer(status: number, flags: number, raw: readonly string[]): void {
    const stream = this.#stream!;
    const lines = linesOf(raw);
    const hasLength = /^content-length:/im.test(lines);
    const ended = (flags & endStreamFlag) !== 0;
    this.#chunked = !hasLength && !ended;
    const length = ended && !hasLength && status !== 204 && status !== 304 ? 'content-length: 0\r\n' : '';
    const framing = this.#chunked ? 'transfer-encoding: chunked\r\n' : length;
    stream.on('trailers', (_headers, _flags, trailers: readonly string[]) => {
      this.#trailers = linesOf(trailers);
    });
    stream.on('data', (bytes: Buffer) => this.#piece(bytes));
    stream.on('end', () => {
      if (this.#chunked && stream.rstCode === 0) this.#say(`0\r\n${this.#trailers}\r\n`);
    });
    // Nothing follows on this stream.
    this.#say(`HTTP/1.1 ${status} \r\n${lines}${framing}connection: close\r\n\r\n`);
  }

  #piece(bytes: Buffer): void {
    if (!this.#chunked) {
      this.#tell(() => this.#user.bytes(bytes, bytes.length));
      return;
    }
    const size = Buffer.from(`${bytes.length.toString(16)}\r\n`, 'latin1');
    const chunk = Buffer.concat([size, bytes, lineEnd]);
    this.#tell(() => this.#user.bytes(chunk, chunk.length));
  }

  #say(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.#tell(() => this.#user.bytes(bytes, bytes.length));
  }

  #tell(what: () => void): void {
    if (!this.#closed) what();
  }
}

function addFields(headers: OutgoingHttpHeaders, list: readonly string[]): OutgoingHttpHeaders {
  for (let i = 0; i < list.length; i += 2) {
    const before = headers[list[i]!];
    const value = list[i + 1]!;
    headers[list[i]!] = before === undefined ? value : [before, value].flat().map(String);
  }
  return headers;
}

/** Names and values in turn as lines; pseudo fields are no fields of HTTP/1. */
function linesOf(raw: readonly string[]): string {
  let lines = '';
  for (let i = 0; i + 1 < raw.length; i += 2)
    if (raw[i]!.charCodeAt(0) !== 58) lines += `${raw[i]}: ${raw[i + 1]}\r\n`;
  return lines;
}
