/** What a client's first message says before TLS begins. */
export type ClientHello = {
  /** As sent, in lower case; undefined: it names no server. */
  readonly serverName: string | undefined;
  /** It offers to speak these (RFC 7301), the one it likes best first; empty: it leaves that open. */
  readonly protocols: readonly string[];
};

export type HelloScan =
  | { readonly kind: 'hello'; readonly hello: ClientHello }
  | { readonly kind: 'incomplete' }
  /** This is not TLS, or not as RFC 8446 §4.1.2 has it. */
  | { readonly kind: 'unreadable' };

const incomplete: HelloScan = { kind: 'incomplete' };
const unreadable: HelloScan = { kind: 'unreadable' };

const handshakeRecord = 22;
const clientHello = 1;
const serverNameExtension = 0;
const protocolsExtension = 16;
/** RFC 8446 §5.1; longer ones are refused by every server. */
const mostRecordBytes = 16_384;
const mostHelloBytes = 65_536;

/** Reads a ClientHello from the first bytes of a connection, which may be spread over several records (RFC 8446 §4, §5). */
export function scanHello(bytes: Buffer): HelloScan {
  const message = handshakeIn(bytes);
  if (!Buffer.isBuffer(message)) return message;
  const reader = new Reader(message);
  // Version, random.
  if (!reader.skip(34)) return unreadable;
  const session = reader.vector(1);
  const suites = reader.vector(2);
  const compressions = reader.vector(1);
  if (session === undefined || suites === undefined || compressions === undefined) return unreadable;
  if (session.length > 32 || suites.length < 2 || suites.length % 2 === 1 || compressions.length === 0)
    return unreadable;
  // TLS 1.2 can do without extensions.
  if (reader.atEnd) return { kind: 'hello', hello: { serverName: undefined, protocols: [] } };
  const extensions = reader.vector(2);
  if (extensions === undefined || !reader.atEnd) return unreadable;
  return helloOf(extensions);
}

/** The handshake message without its header, put together from its records. */
function handshakeIn(bytes: Buffer): Buffer | HelloScan {
  const parts: Buffer[] = [];
  let have = 0;
  for (let at = 0; ; ) {
    const fault = recordFault(bytes, at);
    if (fault !== undefined) return fault;
    const length = bytes.readUInt16BE(at + 3);
    const end = Math.min(bytes.length, at + 5 + length);
    const part = bytes.subarray(at + 5, end);
    parts.push(part);
    have += part.length;
    const head = Buffer.concat(parts, Math.min(4, have));
    if (head.length > 0 && head[0] !== clientHello) return unreadable;
    const wanted = head.length < 4 ? 4 : 4 + head.readUIntBE(1, 3);
    if (wanted > mostHelloBytes) return unreadable;
    if (head.length === 4 && have >= wanted) return Buffer.concat(parts, wanted).subarray(4);
    if (end < at + 5 + length) return incomplete;
    at = end;
  }
}

function recordFault(bytes: Buffer, at: number): HelloScan | undefined {
  if (bytes.length > at && bytes[at] !== handshakeRecord) return unreadable;
  if (bytes.length > at + 1 && bytes[at + 1] !== 3) return unreadable;
  if (bytes.length < at + 5) return incomplete;
  const length = bytes.readUInt16BE(at + 3);
  return length === 0 || length > mostRecordBytes ? unreadable : undefined;
}

function helloOf(extensions: Buffer): HelloScan {
  const reader = new Reader(extensions);
  let serverName: string | undefined;
  let protocols: readonly string[] | undefined = [];
  const seen = new Set<number>();
  while (!reader.atEnd) {
    const type = reader.uint16();
    const data = reader.vector(2);
    if (type === undefined || data === undefined || seen.has(type)) return unreadable;
    seen.add(type);
    if (type === serverNameExtension) {
      serverName = hostIn(data);
      if (serverName === undefined) return unreadable;
    }
    if (type === protocolsExtension) protocols = protocolsIn(data);
    if (protocols === undefined) return unreadable;
  }
  return { kind: 'hello', hello: { serverName, protocols } };
}

/** RFC 6066 §3: one name of type host_name, ASCII, without a trailing dot. Clients that send one all the same mean the same host. */
function hostIn(data: Buffer): string | undefined {
  const list = new Reader(data);
  const names = list.vector(2);
  if (names === undefined || !list.atEnd) return undefined;
  const reader = new Reader(names);
  const type = reader.byte();
  const name = reader.vector(2)?.toString('latin1').toLowerCase().replace(/\.$/, '');
  if (type !== 0 || name === undefined || !reader.atEnd) return undefined;
  return /^[a-z0-9_]([a-z0-9_.-]{0,252})$/.test(name) ? name : undefined;
}

/** RFC 7301 §3.1: none of them is empty. */
function protocolsIn(data: Buffer): readonly string[] | undefined {
  const list = new Reader(data);
  const names = list.vector(2);
  if (names === undefined || !list.atEnd) return undefined;
  const protocols: string[] = [];
  for (const reader = new Reader(names); !reader.atEnd; ) {
    const name = reader.vector(1);
    if (name === undefined || name.length === 0) return undefined;
    protocols.push(name.toString('latin1'));
  }
  return protocols;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  skip(count: number): boolean {
    if (this.#at + count > this.#bytes.length) return false;
    this.#at += count;
    return true;
  }

  byte(): number | undefined {
    return this.skip(1) ? this.#bytes[this.#at - 1] : undefined;
  }

  uint16(): number | undefined {
    return this.skip(2) ? this.#bytes.readUInt16BE(this.#at - 2) : undefined;
  }

  /** Bytes with their length (of `lengthBytes`) in front. */
  vector(lengthBytes: 1 | 2): Buffer | undefined {
    const length = lengthBytes === 1 ? this.byte() : this.uint16();
    if (length === undefined || !this.skip(length)) return undefined;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
