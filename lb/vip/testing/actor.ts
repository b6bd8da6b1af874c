import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { errorCode } from '../../../core/kit/errors.ts';

export type Ask = {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** TCP only: the client's address, one of several. */
  readonly from?: string;
};

/** `refused`: an RST or an ICMP port unreachable; `timeout`: nothing at all within two seconds. */
export type Reply =
  | { readonly kind: 'answer'; readonly name: string; readonly peer: string; readonly self: string }
  | { readonly kind: 'refused' | 'timeout' | 'failed'; readonly detail: string };

export type LoadResult = { readonly asked: number; readonly failed: readonly string[] };

const patienceMs = 2_000;

/** Listens, asks once, keeps connections open, and makes bounded load; every call is by name so that it can come over a pipe. */
export class Actor {
  readonly #held = new Map<string, Socket>();
  readonly #udp = new Map<string, UdpSocket>();
  readonly #servers = new Map<string, () => void>();

  async run(call: string, args: readonly unknown[]): Promise<unknown> {
    const method: unknown = Reflect.get(this, call);
    return typeof method === 'function' ? method.apply(this, args) : undefined;
  }

  /** Serves a name on a port; TCP echoes everything after the greeting. Gives the port. */
  async listen(name: string, protocol: 'tcp' | 'udp', address: string, port: number): Promise<number> {
    return protocol === 'tcp' ? this.#listenTcp(name, address, port) : this.#listenUdp(name, address, port);
  }

  async unlisten(name: string): Promise<void> {
    this.#servers.get(name)?.();
  }

  async ask(to: Ask): Promise<Reply> {
    if (to.protocol === 'udp') return this.askFrom('', to);
    const { address: host, port, from: localAddress } = to;
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
    const reply = await greeting(socket);
    socket.destroy();
    return reply;
  }

  /** UDP from a connected socket that is kept under `key`, so that the client port stays the same. */
  async askFrom(key: string, to: Ask): Promise<Reply> {
    const socket = this.#udp.get(key) ?? (await connected(to));
    if (key !== '') this.#udp.set(key, socket);
    const reply = await datagram(socket);
    if (key === '') socket.close();
    return reply;
  }

  /** UDP from a socket that is not connected and is kept under `key`; `self` is whom the answer seems to come from. */
  async sendFrom(key: string, to: Ask): Promise<Reply> {
    const socket =
      this.#udp.get(key) ?? createSocket(isIPv6(to.address) ? 'udp6' : 'udp4').on('error', () => {});
    this.#udp.set(key, socket);
    const message = new Promise<Reply>((resolve) => {
      const timer = setTimeout(() => resolve({ kind: 'timeout', detail: 'nothing' }), patienceMs);
      socket.once('message', (data, from) => {
        clearTimeout(timer);
        resolve(answer(String(data), `${from.address}:${from.port}`));
      });
    });
    socket.send('hello', to.port, to.address);
    return message;
  }

  /** Whom a kept connection leads to, as its process is told. */
  async peer(key: string): Promise<string> {
    const socket = this.#held.get(key);
    return `${socket?.remoteAddress}:${socket?.remotePort}`;
  }

  /** Opens a TCP connection and keeps it. */
  async hold(key: string, to: Ask): Promise<Reply> {
    const socket = connect({ host: to.address, port: to.port });
    socket.on('error', () => {});
    this.#held.set(key, socket);
    return greeting(socket);
  }

  /** Sends text on a kept connection and gives the echo, or undefined when the connection is dead. */
  async say(key: string, text: string): Promise<string | undefined> {
    const socket = this.#held.get(key);
    if (socket === undefined || socket.destroyed) return undefined;
    socket.write(text);
    return first(socket, 'data').then(
      (data) => String(data),
      () => undefined,
    );
  }

  async drop(key: string): Promise<void> {
    const socket = this.#held.get(key);
    if (socket === undefined) return;
    socket.end();
    socket.resume();
    if (!socket.closed) await once(socket, 'close');
  }

  /** Asks `count` times one after another. */
  async load(to: Ask, count: number): Promise<LoadResult> {
    const failed: string[] = [];
    for (let i = 0; i < count; i++) {
      const reply = await this.ask(to);
      if (reply.kind !== 'answer') failed.push(`${reply.kind} ${reply.detail}`);
    }
    return { asked: count, failed };
  }

  async close(): Promise<void> {
    for (const socket of this.#held.values()) socket.destroy();
    for (const socket of this.#udp.values()) socket.close();
    for (const close of this.#servers.values()) close();
  }

  async #listenTcp(name: string, address: string, port: number): Promise<number> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write(`${name} ${socket.remoteAddress} ${socket.remotePort}\n`);
      socket.pipe(socket);
    });
    server.listen(port, address);
    await once(server, 'listening');
    this.#servers.set(name, () => server.close());
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  }

  async #listenUdp(name: string, address: string, port: number): Promise<number> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('message', (_data, from) =>
      socket.send(`${name} ${from.address} ${from.port}`, from.port, from.address),
    );
    socket.bind(port, address);
    await once(socket, 'listening');
    this.#servers.set(name, () => socket.close());
    return socket.address().port;
  }
}

async function greeting(socket: Socket): Promise<Reply> {
  try {
    const text = String(await first(socket, 'data'));
    return answer(text, `${socket.localAddress}`);
  } catch (error) {
    return failure(error);
  }
}

async function connected(to: Ask): Promise<UdpSocket> {
  const socket = createSocket(isIPv6(to.address) ? 'udp6' : 'udp4').on('error', () => {});
  socket.connect(to.port, to.address);
  await once(socket, 'connect');
  return socket;
}

async function datagram(socket: UdpSocket): Promise<Reply> {
  try {
    const message = first(socket, 'message');
    socket.send('hello');
    return answer(String(await message), socket.address().address);
  } catch (error) {
    return failure(error);
  }
}

function answer(text: string, self: string): Reply {
  const [name = '', peer = ''] = text.trim().split(' ');
  return { kind: 'answer', name, peer, self };
}

function failure(error: unknown): Reply {
  const code = errorCode(error) ?? 'closed';
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return { kind: 'refused', detail: code };
  if (code === 'ABORT_ERR') return { kind: 'timeout', detail: `nothing within ${patienceMs} ms` };
  return { kind: 'failed', detail: code };
}

async function first(emitter: Socket | UdpSocket, event: string): Promise<unknown> {
  const ended = new AbortController();
  const close = () => ended.abort();
  emitter.once('close', close);
  try {
    const signal = AbortSignal.any([AbortSignal.timeout(patienceMs), ended.signal]);
    const [value] = await once(emitter, event, { signal });
    return value;
  } finally {
    emitter.off('close', close);
  }
}
