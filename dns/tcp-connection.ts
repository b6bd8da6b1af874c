import type { Socket } from 'node:net';
import type { Client } from './handler.ts';
import type { Respond } from './respond.ts';

export type ConnectionLimits = {
  /** Closed after so long without a whole question. */
  readonly idleMs: number;
};

export type StreamAnswer = {
  readonly respond: Respond;
  readonly transport: Client['transport'];
  readonly onQuestion: () => void;
};

/** Replies a client has not read yet; beyond it we stop reading its questions. */
const mostUnread = 256 * 1024;
/** Questions of one connection being worked on; beyond it we stop reading. */
const mostPending = 128;
const lengthBytes = 2;

/**
 * Answers one connection: any number of questions, replies as they come ready (RFC 7766 §6.2.1, §7).
 * `onQuestion` is called for each, so that the caller knows which connections are in use.
 */
export function serveConnection(
  socket: Socket,
  { respond, transport, onQuestion }: StreamAnswer,
  limits: ConnectionLimits,
): void {
  const idle = setTimeout(() => socket.destroy(), limits.idleMs);
  const connection = new Connection(socket, transport, (message, client) => {
    idle.refresh();
    onQuestion();
    return respond(message, client);
  });
  socket.on('data', (bytes) => connection.read(typeof bytes === 'string' ? Buffer.from(bytes) : bytes));
  socket.on('drain', () => connection.proceed());
  socket.on('end', () => connection.finish());
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(idle));
}

class Connection {
  readonly #socket: Socket;
  readonly #respond: Respond;
  readonly #client: Client;
  #arrived: Buffer[] = [];
  #length = 0;
  #pending = 0;
  #ended = false;

  constructor(socket: Socket, transport: Client['transport'], respond: Respond) {
    this.#socket = socket;
    this.#respond = respond;
    const { remoteAddress = '', remotePort = 0 } = socket;
    this.#client = { address: remoteAddress, port: remotePort, transport };
  }

  read(bytes: Buffer): void {
    this.#arrived.push(bytes);
    this.#length += bytes.length;
    this.proceed();
  }

  /** Answers what has arrived whole, as long as the client takes the replies. */
  proceed(): void {
    while (!this.#isFull()) {
      const message = this.#takeMessage();
      if (message === undefined) break;
      this.#answer(message);
    }
    if (this.#isFull()) this.#socket.pause();
    else this.#socket.resume();
    if (this.#ended && this.#pending === 0 && !this.#isFull()) this.#socket.end();
  }

  /** The client sends no more; what it has asked is still answered. */
  finish(): void {
    this.#ended = true;
    this.proceed();
  }

  #takeMessage(): Buffer | undefined {
    if (this.#length < lengthBytes) return undefined;
    // the two bytes may lie in two segments
    if (this.#arrived[0]!.length < lengthBytes) this.#join();
    const end = lengthBytes + this.#arrived[0]!.readUInt16BE(0);
    if (this.#length < end) return undefined;
    const bytes = this.#join();
    this.#arrived = end < bytes.length ? [bytes.subarray(end)] : [];
    this.#length = bytes.length - end;
    return bytes.subarray(lengthBytes, end);
  }

  #join(): Buffer {
    const bytes = this.#arrived.length === 1 ? this.#arrived[0]! : Buffer.concat(this.#arrived);
    this.#arrived = [bytes];
    return bytes;
  }

  #answer(message: Buffer): void {
    const reply = this.#respond(message, this.#client);
    if (reply instanceof Promise) this.#await(reply);
    else this.#write(reply);
  }

  async #await(reply: Promise<Uint8Array | undefined>): Promise<void> {
    this.#pending += 1;
    const bytes = await reply;
    this.#pending -= 1;
    this.#write(bytes);
    this.proceed();
  }

  #write(bytes: Uint8Array | undefined): void {
    if (bytes === undefined || !this.#socket.writable) return;
    const framed = Buffer.allocUnsafe(lengthBytes + bytes.length);
    framed.writeUInt16BE(bytes.length, 0);
    framed.set(bytes, lengthBytes);
    this.#socket.write(framed);
  }

  #isFull(): boolean {
    return this.#pending >= mostPending || this.#socket.writableLength > mostUnread;
  }
}
