import type { Compression } from '../../../core/model/route.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { ContentCoding } from './accept-encoding.ts';
import { valuesOf } from './forward.ts';

/** What comes out of a coder. */
export interface CoderUser {
  coded(bytes: Buffer): void;
  /** All of it came out. */
  codedAll(): void;
  codingFailed(): void;
  /** It can take more again. */
  coderDrained(): void;
}

const usualTypes = [
  'text/*',
  'application/json',
  'application/javascript',
  'application/xml',
  'application/wasm',
  'image/svg+xml',
];
/** Its lines must not wait for one another. */
const neverTypes = ['text/event-stream'];

/** Whether an answer is worth coding and may be: not what is coded already, partial, small, or said to be left alone (`no-transform`). */
export function isCodable(
  head: ResponseHead,
  { types = usualTypes, minBytes = 1_024 }: Compression,
): boolean {
  const { status, contentLength } = head;
  if (status < 200 || status === 204 || status === 206 || status === 304) return false;
  if (contentLength !== undefined && contentLength < minBytes) return false;
  const coding = valuesOf(head, 'content-encoding').toLowerCase();
  if ((coding !== '' && coding !== 'identity') || /no-transform/i.test(valuesOf(head, 'cache-control')))
    return false;
  const type = valuesOf(head, 'content-type').split(';')[0]!.trim().toLowerCase();
  return !neverTypes.includes(type) && types.some((one) => typeFits(one.toLowerCase(), type));
}

/** Codes the content of one answer. */
export class ContentCoder {
  readonly #stream: ReturnType<typeof streamFor>;

  constructor(coding: ContentCoding, user: CoderUser) {
    this.#stream = streamFor(coding);
    this.#stream.on('data', (bytes: Buffer) => user.coded(bytes));
    this.#stream.on('end', () => user.codedAll());
    this.#stream.on('error', () => user.codingFailed());
    this.#stream.on('drain', () => user.coderDrained());
  }

  get congested(): boolean {
    return this.#stream.writableNeedDrain;
  }

  write(bytes: Buffer): void {
    this.#stream.write(bytes);
  }

  end(): void {
    this.#stream.end();
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  destroy(): void {
    this.#stream.destroy();
  }
}

function typeFits(wanted: string, type: string): boolean {
  if (wanted.endsWith('/*')) return type.startsWith(wanted.slice(0, -1));
  // `application/json` stands for `application/problem+json` too.
  const [, suffix] = /^application\/(json|xml)$/.exec(wanted) ?? [];
  return type === wanted || (suffix !== undefined && type.endsWith(`+${suffix}`));
}

/** What each costs and gives is in docs/how-to/route-requests.md. */
function streamFor(coding: ContentCoding) {
  // Loaded with the first answer that is coded: most edges need not spend the memory.
  const { constants, createBrotliCompress, createGzip, createZstdCompress } =
    process.getBuiltinModule('node:zlib');
  switch (coding) {
    case 'gzip':
      return createGzip({ level: 5 });
    case 'br':
      return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
    case 'zstd':
      return createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  }
}
