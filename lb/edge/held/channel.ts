import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';

const headLength = 4;

/** Values both ways over a socket, each a structured clone (Map, bigint pass) behind its length. */
export class Channel {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);

  constructor(
    socket: Socket,
    takers: { readonly message: (value: unknown) => void; readonly closed: () => void },
  ) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('close', takers.closed);
    socket.on('data', (data: Buffer) => {
      this.#held = this.#held.length === 0 ? data : Buffer.concat([this.#held, data]);
      for (let body = this.#next(); body !== undefined; body = this.#next())
        takers.message(deserialize(body));
    });
  }

  send(value: unknown): void {
    const body = serialize(value);
    const head = Buffer.alloc(headLength);
    head.writeUInt32BE(body.length);
    this.#socket.write(Buffer.concat([head, body]));
  }

  /** What was sent still arrives. */
  close(): void {
    this.#socket.end();
  }

  #next(): Buffer | undefined {
    if (this.#held.length < headLength) return undefined;
    const end = headLength + this.#held.readUInt32BE();
    if (this.#held.length < end) return undefined;
    const body = this.#held.subarray(headLength, end);
    this.#held = this.#held.subarray(end);
    return body;
  }
}
