import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Watched } from '../../../core/kit/watched.ts';

/** HTTP/2 written by hand: what no honest client sends. Frames and the least of HPACK (RFC 9113 §4, RFC 7541 §6). */
export const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flags = { endStream: 1, ack: 1, endHeaders: 4, padded: 8 } as const;

export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
};

export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Fields as literals without an index and without Huffman, byte for byte. */
export function fieldBlock(fields: readonly (readonly [name: string, value: string])[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

export function number32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const rest: number[] = [127];
  let left = bytes.length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) rest.push((left % 128) + 128);
  return Buffer.concat([Buffer.from([...rest, left]), bytes]);
}

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** A connection of HTTP/2 that sends what it is told, and shows the frames that come. */
export class FrameClient {
  readonly socket: Socket;
  readonly frames = new Watched<readonly Frame[]>([]);
  readonly closed = new Watched(false);
  #rest = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('error', () => {});
    socket.on('close', () => this.closed.set(true));
  }

  /** `settings`: identifiers and values. */
  static async open(
    port: number,
    settings: readonly (readonly [number, number])[] = [],
  ): Promise<FrameClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = new FrameClient(socket);
    const payload = settings.map(([id, value]) => Buffer.concat([number32(id).subarray(2), number32(value)]));
    client.send(preface, frame(frameTypes.settings, 0, 0, Buffer.concat(payload)));
    return client;
  }

  send(...parts: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  /** Resolves when such a frame has come, or the connection is closed; gives all frames. */
  async until(has: (frame: Frame) => boolean): Promise<readonly Frame[]> {
    await Promise.race([
      this.frames.until((frames) => frames.some(has)),
      this.closed.until((closed) => closed),
    ]);
    return this.frames.value;
  }

  /** What came of a stream: its status, or the code of its reset or of the connection's end. */
  async outcome(stream: number): Promise<string> {
    const frames = await this.until(
      ({ type, stream: of }) =>
        type === frameTypes.goaway ||
        (of === stream && (type === frameTypes.headers || type === frameTypes.reset)),
    );
    for (const { type, stream: of, payload } of frames) {
      if (type === frameTypes.goaway) return `goaway ${payload.readUInt32BE(4)}`;
      if (of === stream && type === frameTypes.reset) return `reset ${payload.readUInt32BE(0)}`;
      if (of === stream && type === frameTypes.headers) return `${statusOf(payload)}`;
    }
    return 'closed';
  }

  #take(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    const frames: Frame[] = [];
    while (this.#rest.length >= 9) {
      const end = 9 + this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < end) break;
      const [type, flags] = [this.#rest.readUInt8(3), this.#rest.readUInt8(4)];
      frames.push({ type, flags, stream: this.#rest.readUInt32BE(5), payload: this.#rest.subarray(9, end) });
      this.#rest = this.#rest.subarray(end);
    }
    if (frames.length > 0) this.frames.set([...this.frames.value, ...frames]);
  }
}

/** RFC 7541 appendix A: 8 to 14. */
const indexedStatus = [200, 204, 206, 304, 400, 404, 500];
/** Appendix B, of digits alone: those of five bits, then those of six. */
const shortDigits = ['0', '1', '2'];
const longDigits = ['3', '4', '5', '6', '7', '8', '9'];

/** `:status` is the first field of any answer. */
function statusOf(block: Buffer): number {
  const at = block.findIndex((byte) => byte >> 5 !== 1);
  const first = block[at]!;
  if (first >= 0x80) return indexedStatus[(first & 0x7f) - 8] ?? 0;
  const length = block[at + 1]!;
  const bytes = block.subarray(at + 2, at + 2 + (length & 0x7f));
  return Number(length >= 0x80 ? digits(bytes) : bytes.toString('latin1'));
}

function digits(bytes: Buffer): string {
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let text = '';
  while (text.length < 3) {
    const short = Number.parseInt(bits.slice(0, 5), 2);
    text += shortDigits[short] ?? longDigits[Number.parseInt(bits.slice(0, 6), 2) - 25] ?? '?';
    bits = bits.slice(shortDigits[short] === undefined ? 6 : 5);
  }
  return text;
}
