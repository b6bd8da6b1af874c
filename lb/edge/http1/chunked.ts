import { CR, hexDigit, LF, SEMICOLON } from './characters.ts';
import { afterExtensionByte, type ExtensionState, mayEndExtension } from './chunk-extension.ts';
import type { FieldTable } from './fields.ts';
import type { Slices } from './slices.ts';
import { keptTrailers } from './trailers.ts';

/** Where in the chunked coding the next byte stands (RFC 9112 §7.1). */
type State = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers' | 'done' | 'bad';

export type ChunkedOptions = {
  /** `coded`: hand on the chunk framing without extensions. `payload`: hand on the data alone (for HTTP/1.0 clients). */
  readonly as: 'coded' | 'payload';
  /** Scratch for reading trailers. */
  readonly fields: FieldTable;
};

/** 2^52 is far beyond any body and still exact. */
const maxSizeDigits = 13;
/** Extensions are skipped; more than this in one body is an attack (a body of nothing but extensions). */
const maxExtensionBytes = 16_384;
const maxTrailerBytes = 8_192;
/** Reads a chunked body from pieces cut anywhere. Never hands on a byte of an extension, a bad size or a bad trailer. */
export class ChunkedBody {
  readonly #options: ChunkedOptions;
  #state: State = 'size';
  #size = 0;
  #digits = 0;
  #extension: ExtensionState = 'semicolon';
  #extensionBytes = 0;
  #trailers = '';
  /** Trailer lines that may be handed on, each with its CRLF; known when done. */
  trailers = '';

  constructor(options: ChunkedOptions) {
    this.#options = options;
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  get bad(): boolean {
    return this.#state === 'bad';
  }

  /** Reads up to `end`, adding to `out` what is to be handed on; gives the offset after the last byte that belongs to the body. */
  read(buffer: Buffer, at: number, end: number, out: Slices): number {
    let i = at;
    while (i < end && this.#state !== 'done' && this.#state !== 'bad') {
      if (this.#state === 'data') i = this.#data(i, end, out);
      else if (this.#state === 'trailers') i = this.#trailer(buffer, i, end, out);
      else i = this.#framing(buffer, i, out);
    }
    return i;
  }

  #data(at: number, end: number, out: Slices): number {
    const take = Math.min(this.#size, end - at);
    out.add(at, at + take);
    this.#size -= take;
    if (this.#size === 0) this.#state = 'data-cr';
    return at + take;
  }

  #framing(buffer: Buffer, at: number, out: Slices): number {
    const byte = buffer[at]!;
    const kept = this.#state !== 'extension' && !(this.#state === 'size' && byte === SEMICOLON);
    this.#state = this.#after(byte);
    if (kept && this.#state !== 'bad' && this.#options.as === 'coded') out.add(at, at + 1);
    // A chunk extension ends with the CR that the size line needs.
    else if (byte === CR && this.#state === 'size-lf' && this.#options.as === 'coded') out.add(at, at + 1);
    return at + 1;
  }

  #after(byte: number): State {
    switch (this.#state) {
      case 'size':
        return this.#afterSize(byte);
      case 'extension':
        return this.#afterExtension(byte);
      case 'size-lf':
        return byte === LF ? this.#afterSizeLine() : 'bad';
      case 'data-cr':
        return byte === CR ? 'data-lf' : 'bad';
      default:
        return byte === LF ? 'size' : 'bad';
    }
  }

  #afterSize(byte: number): State {
    const digit = hexDigit[byte]!;
    if (digit < 16) {
      this.#size = this.#size * 16 + digit;
      return ++this.#digits > maxSizeDigits ? 'bad' : 'size';
    }
    if (this.#digits === 0) return 'bad';
    if (byte === CR) return 'size-lf';
    if (byte !== SEMICOLON) return 'bad';
    this.#extension = 'semicolon';
    return 'extension';
  }

  #afterExtension(byte: number): State {
    if (++this.#extensionBytes > maxExtensionBytes) return 'bad';
    if (byte === CR) return mayEndExtension(this.#extension) ? 'size-lf' : 'bad';
    this.#extension = afterExtensionByte(this.#extension, byte);
    return this.#extension === 'bad' ? 'bad' : 'extension';
  }

  #afterSizeLine(): State {
    this.#digits = 0;
    return this.#size === 0 ? 'trailers' : 'data';
  }

  #trailer(buffer: Buffer, at: number, end: number, out: Slices): number {
    for (let i = at; i < end; i++) {
      const byte = buffer[i]!;
      this.#trailers += String.fromCharCode(byte);
      if (byte === LF && !this.#trailers.endsWith('\r\n')) this.#state = 'bad';
      else if (this.#trailers.length > maxTrailerBytes) this.#state = 'bad';
      else if (this.#trailers === '\r\n' || this.#trailers.endsWith('\r\n\r\n')) this.#finish(out);
      if (this.#state !== 'trailers') return i + 1;
    }
    return end;
  }

  #finish(out: Slices): void {
    const kept = this.#trailers === '\r\n' ? '' : keptTrailers(this.#trailers, this.#options.fields);
    this.#state = kept === undefined ? 'bad' : 'done';
    this.trailers = kept ?? '';
    if (this.#state === 'done' && this.#options.as === 'coded') out.tail = `${kept}\r\n`;
  }
}
