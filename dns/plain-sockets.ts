import { type BindOptions, createSocket, type RemoteInfo, type Socket, type SocketOptions } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { type ListenAddress, listenError } from '../core/kit/listen.ts';
import type { Respond } from './respond.ts';
import type { OpenSocket, SocketLayer } from './sockets.ts';

/** Datagrams by `node:dgram`: works everywhere. */
export const plainSockets: SocketLayer = {
  name: 'plain',
  open: (at, respond) => openPlain({ ...at, exclusive: true }, at, respond),
};

/** As SocketLayer.open. `bind` may also be a socket that is bound to `at` already: it is closed with this one. */
export async function openPlain(bind: BindOptions, at: ListenAddress, respond: Respond): Promise<OpenSocket> {
  const type = isIPv6(at.address) ? 'udp6' : 'udp4';
  const socket = createSocket({ type, ipv6Only: type === 'udp6', lookup: alreadyAddress });
  socket.on('message', (packet, from) => answer(socket, { packet, from, respond }));
  await bound(socket, bind, at);
  // after binding: an error of one datagram (a client that is gone) is not the socket's end
  socket.on('error', () => {});
  return { address: at.address, port: socket.address().port, close: () => closed(socket) };
}

/** Where we bind and whom we answer is an address: to look it up would only put every send off to the next tick. */
const alreadyAddress: SocketOptions['lookup'] = (address, _options, done) =>
  done(null, address, isIPv6(address) ? 6 : 4);

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

type Arrival = { readonly packet: Buffer; readonly from: RemoteInfo; readonly respond: Respond };

function answer(socket: Socket, { packet, from, respond }: Arrival): void {
  const client = { address: from.address, port: from.port, transport: 'udp' } as const;
  const reply = respond(packet, client);
  if (reply instanceof Promise) reply.then((bytes) => send(socket, bytes, from));
  else send(socket, reply, from);
}

function send(socket: Socket, bytes: Uint8Array | undefined, to: RemoteInfo): void {
  if (bytes === undefined) return;
  try {
    // without a callback there is no next tick per reply; its errors go to the socket, which ignores them
    socket.send(bytes, to.port, to.address);
  } catch {
    // closed while a promise was pending, or a source port of 0: there is nobody to tell
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
