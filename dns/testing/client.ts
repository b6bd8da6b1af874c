import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, isIPv6, type Socket } from 'node:net';
import type { ListenAddress } from '../../core/kit/listen.ts';
import { decodeMessage } from '../wire/decode.ts';
import { encodeMessage } from '../wire/encode.ts';
import { toName } from '../wire/name.ts';
import { CLASS, type Edns, FLAG, type Message, TYPE } from '../wire/types.ts';

export type TypeName = keyof typeof TYPE;
export type QueryParts = {
  readonly id?: number;
  readonly flags?: number;
  readonly class?: number;
  readonly edns?: Edns;
};

export function query(name: string, type: TypeName | number, parts: QueryParts = {}): Buffer {
  const read = toName(name);
  if (read.kind === 'invalid') throw new Error(read.reason);
  return encodeMessage({
    id: parts.id ?? 0x1234,
    flags: parts.flags ?? FLAG.RD,
    question: {
      name: read.name,
      type: typeof type === 'number' ? type : TYPE[type],
      class: parts.class ?? CLASS.IN,
    },
    answers: [],
    authorities: [],
    additionals: [],
    edns: parts.edns,
  });
}

export function decoded(packet: Uint8Array): Message {
  const read = decodeMessage(packet);
  if (read.kind !== 'message') throw new Error(`the reply is malformed (${read.kind})`);
  return read.message;
}

/** Beyond it a test fails, instead of waiting for ever. ms. */
const patienceMs = 20_000;

/** The next datagram that answers `packet`. */
export async function udpExchange(at: ListenAddress, packet: Uint8Array): Promise<Buffer> {
  const socket = createSocket(isIPv6(at.address) ? 'udp6' : 'udp4');
  try {
    socket.connect(at.port, at.address);
    await once(socket, 'connect');
    socket.send(packet);
    const [reply] = await once(socket, 'message', { signal: AbortSignal.timeout(patienceMs) });
    return reply;
  } finally {
    socket.close();
  }
}

export async function askUdp(at: ListenAddress, ...question: Parameters<typeof query>): Promise<Message> {
  return decoded(await udpExchange(at, query(...question)));
}

/** A TCP connection and the whole messages it brings. */
export class TcpSession {
  readonly socket: Socket;
  #unread: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
  }

  static async open(at: ListenAddress): Promise<TcpSession> {
    const socket = connect({ host: at.address, port: at.port, allowHalfOpen: true });
    await once(socket, 'connect');
    return new TcpSession(socket);
  }

  send(...packets: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(packets.map(framed)));
  }

  /** The next message; undefined when the server has ended the connection. */
  async next(): Promise<Message | undefined> {
    const packet = await this.nextPacket();
    return packet && decoded(packet);
  }

  /** The same as it came. */
  async nextPacket(): Promise<Buffer | undefined> {
    for (;;) {
      const end = this.#unread.length < 2 ? Infinity : 2 + this.#unread.readUInt16BE(0);
      if (this.#unread.length >= end) {
        const packet = this.#unread.subarray(2, end);
        this.#unread = this.#unread.subarray(end);
        return packet;
      }
      const chunk: Buffer | null = this.socket.read();
      if (chunk !== null) this.#unread = Buffer.concat([this.#unread, chunk]);
      else if (this.socket.readableEnded || this.socket.destroyed) return undefined;
      else await this.#changed();
    }
  }

  async #changed(): Promise<void> {
    const both = new AbortController();
    const signal = AbortSignal.any([both.signal, AbortSignal.timeout(patienceMs)]);
    const events = ['readable', 'close'].map((event) => once(this.socket, event, { signal }));
    try {
      await Promise.race(events);
    } finally {
      both.abort();
      await Promise.allSettled(events);
    }
  }
}

export function framed(packet: Uint8Array): Buffer {
  const bytes = Buffer.alloc(2 + packet.length);
  bytes.writeUInt16BE(packet.length);
  bytes.set(packet, 2);
  return bytes;
}
