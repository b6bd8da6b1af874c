const handshakeRecord = 22;
const clientHello = 1;
const alpnExtension = 16;
/** No client needs more; RFC 8446 would allow 16 MB. */
const mostBytes = 16_384;

/**
 * The protocols that a TLS client offers in its first message (RFC 8446 §4.1.2, RFC 7301), from the first bytes it sent. `more`: it
 * has not come whole yet; none: it offers none, or it is no hello.
 */
export function offeredProtocols(bytes: Buffer): readonly string[] | 'more' {
  const hello = helloOf(bytes);
  if (hello === undefined || hello === 'more') return hello ?? [];
  try {
    return readProtocols(new Cursor(hello));
  } catch {
    return [];
  }
}

/** The hello without its headers, put together from its records. */
function helloOf(bytes: Buffer): Buffer | 'more' | undefined {
  const parts: Buffer[] = [];
  let gathered = 0;
  for (let at = 0; ; ) {
    if (at > mostBytes) return undefined;
    if (bytes.length < at + 5) return 'more';
    const length = bytes.readUInt16BE(at + 3);
    if (bytes[at] !== handshakeRecord || length === 0) return undefined;
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    gathered += part.length;
    at += 5 + length;
    const all = gathered < 4 ? undefined : Buffer.concat(parts);
    if (all !== undefined && all[0] !== clientHello) return undefined;
    const whole = all === undefined ? Number.POSITIVE_INFINITY : 4 + all.readUIntBE(1, 3);
    if (whole <= gathered) return all?.subarray(4, whole);
    if (bytes.length < at) return 'more';
  }
}

function readProtocols(hello: Cursor): readonly string[] {
  hello.skip(2 + 32);
  hello.skip(hello.number(1));
  hello.skip(hello.number(2));
  hello.skip(hello.number(1));
  const extensions = hello.part(hello.number(2));
  while (!extensions.atEnd) {
    const type = extensions.number(2);
    const content = extensions.part(extensions.number(2));
    if (type !== alpnExtension) continue;
    const list = content.part(content.number(2));
    const protocols: string[] = [];
    while (!list.atEnd) protocols.push(list.text(list.number(1)));
    return protocols;
  }
  return [];
}

/** Reads on; throws RangeError beyond the end. */
class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(size: 1 | 2): number {
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  skip(size: number): void {
    if (this.#at + size > this.#bytes.length) throw new RangeError('beyond the end');
    this.#at += size;
  }

  part(size: number): Cursor {
    const from = this.#at;
    this.skip(size);
    return new Cursor(this.#bytes.subarray(from, from + size));
  }

  text(size: number): string {
    const from = this.#at;
    this.skip(size);
    return this.#bytes.toString('latin1', from, from + size);
  }
}
