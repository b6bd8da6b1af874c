import { type BindOptions, createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { type ListenAddress, listenError } from '../core/kit/listen.ts';
import type { HotAnswers, Place } from './hot/answers.ts';
import type { Respond } from './respond.ts';
import type { OpenSocket, SocketLayer } from './sockets.ts';

/** Datagrams by `node:dgram`: works everywhere. */
export const plainSockets: SocketLayer = {
  name: 'plain',
  open: (at, respond, hot) => openPlain({ ...at, exclusive: true }, at, { respond, hot }),
};

export type PlainParts = {
  readonly respond: Respond;
  readonly hot: HotAnswers | undefined;
  /** Called for each datagram, before it is answered. */
  readonly onQuestion?: () => void;
};

/** As SocketLayer.open. `bind` may also be a socket that is bound to `at` already: it is closed with this one. */
export async function openPlain(
  bind: BindOptions,
  at: ListenAddress,
  parts: PlainParts,
): Promise<OpenSocket> {
  const type = isIPv6(at.address) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, ipv6Only: type === 'udp6', lookup: alreadyAddress });
  const replies = new Replies(socket, parts);
  socket.on('message', (packet, from) => replies.give(packet, from));
  await bound(socket, bind, at);
  // after binding: an error of one datagram (a client that is gone) is not the socket's end
  socket.on('error', () => {});
  return { address: at.address, port: socket.address().port, close: () => closed(socket) };
}

/** Where we bind and whom we answer is an address: to look it up would only put every send off to the next tick. */
const alreadyAddress: SocketOptions['lookup'] = (address, _options, done) =>
  done(null, address, address.includes(':') ? 6 : 4);

async function bound(socket: Socket, bind: BindOptions, at: ListenAddress): Promise<void> {
  try {
    // told at once, as nothing is looked up
    const listening = once(socket, 'listening');
    socket.bind(bind);
    await listening;
  } catch (error) {
    socket.close();
    throw listenError(at, 'udp', error);
  }
}

/** Answers each datagram of a socket. What it does for every one of them is done without making more than must be. */
class Replies {
  readonly #socket: Socket;
  readonly #parts: PlainParts;
  readonly #room: ReplyRoom;

  constructor(socket: Socket, parts: PlainParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#room = new ReplyRoom(parts.hot?.udpPayload ?? 0);
  }

  give(packet: Buffer, from: RemoteInfo): void {
    const { hot, onQuestion } = this.#parts;
    onQuestion?.();
    const length = hot === undefined ? 0 : hot.answer(packet, from, this.#room.free());
    if (length > 0) this.#send(this.#room.take(length), from);
    else this.#ask(packet, from);
  }

  #ask(packet: Buffer, from: RemoteInfo): void {
    const reply = this.#parts.respond(packet, { address: from.address, port: from.port, transport: 'udp' });
    if (reply instanceof Promise) reply.then((bytes) => this.#send(bytes, from));
    else this.#send(reply, from);
  }

  #send(bytes: Uint8Array | undefined, to: RemoteInfo): void {
    if (bytes === undefined) return;
    try {
      // without a callback there is no next tick per reply; its errors go to the socket, which ignores them. A list would be made anew
      this.#socket.send(bytes, to.port, to.address);
    } catch {
      // closed while a promise was pending, or a source port of 0: there is nobody to tell
    }
  }
}

const roomLength = 65_536;

/** Memory for one reply behind the other. What was written is not written over: a reply may wait for the kernel to take it. */
class ReplyRoom {
  readonly #longest: number;
  readonly #place = { into: new Uint8Array(0), at: 0 };

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** Where the longest reply has room. */
  free(): Place {
    const place = this.#place;
    if (place.at + this.#longest > place.into.length) {
      place.into = Buffer.allocUnsafeSlow(roomLength);
      place.at = 0;
    }
    return place;
  }

  /** The reply of so many bytes that was written there. */
  take(length: number): Uint8Array {
    const { into, at } = this.#place;
    this.#place.at += length;
    return new Uint8Array(into.buffer, at, length);
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
