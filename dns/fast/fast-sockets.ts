import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ListenAddress } from '../../core/kit/listen.ts';
import type { FollowerCounts, HotAnswers, HotFollower } from '../hot/answers.ts';
import type { HotAnswer } from '../hot/table.ts';
import { plainSockets } from '../plain-sockets.ts';
import type { Respond } from '../respond.ts';
import type { OpenSocket, SocketLayer } from '../sockets.ts';
import { bound, boundPort, canBind } from './bind.ts';
import { C, type Libc } from './libc.ts';
import {
  codes,
  type Handed,
  type LoopStart,
  longestQuery,
  type Mail,
  type Sampled,
  sharedWords,
  WORD,
} from './shared.ts';
import { readSocketAddress, socketAddressLength } from './socket-address.ts';

const withoutHot = {
  udpPayload: longestQuery,
  most: 0,
  guardOptions: { cookieSecret: new Uint8Array(16), salt: 0 },
};

/** The loop is never busy for so long; it is a bound, not a delay. */
const mostBusyMs = 5;

/**
 * Datagrams by a thread of their own that receives and sends them in batches (recvmmsg, sendmmsg), with the hot answers in
 * it. What is not hot is answered by the main thread on the same socket.
 */
export function fastSockets(libc: Libc, threads = 1): SocketLayer {
  return {
    name: 'fast',
    async open(at, respond, hot) {
      if (!canBind(at)) return plainSockets.open(at, respond);
      const group = await startFastSockets(libc, { fd: bound(libc, at), at, respond, hot }, threads);
      group.begin();
      return group;
    },
  };
}

export type FastGroup = OpenSocket & { begin(): void };

/**
 * Threads that wait for `begin` to take the socket `fd`, which is closed with them, or when they cannot be started. They share one
 * socket rather than each having its own with SO_REUSEPORT, which would let another process of the same user take questions too.
 */
export async function startFastSockets(libc: Libc, parts: SocketParts, threads: number): Promise<FastGroup> {
  const sockets: FastSocket[] = [];
  const close = async () => {
    await Promise.all(sockets.map((socket) => socket.close()));
  };
  try {
    const fds = [...Array.from({ length: threads - 1 }, () => libc.dup(parts.fd)), parts.fd];
    for (const fd of fds) sockets.push(await startFastSocket(libc, { ...parts, fd }));
  } catch (error) {
    await close();
    throw error;
  }
  const { address, port } = sockets[0]!;
  return {
    address,
    port,
    close,
    begin() {
      for (const socket of sockets) socket.begin();
    },
  };
}

async function startFastSocket(libc: Libc, parts: SocketParts): Promise<FastSocket> {
  try {
    const socket = new FastSocket(libc, parts);
    await socket.online();
    return socket;
  } catch (error) {
    libc.close(parts.fd);
    throw error;
  }
}

type SocketParts = {
  readonly fd: number;
  readonly at: ListenAddress;
  readonly respond: Respond;
  readonly hot: HotAnswers | undefined;
};

class FastSocket implements OpenSocket, HotFollower {
  readonly address: string;
  readonly port: number;
  readonly #libc: Libc;
  readonly #parts: SocketParts;
  readonly #shared = new Int32Array(new SharedArrayBuffer(4 * sharedWords));
  readonly #worker: Worker;
  #closed = false;

  constructor(libc: Libc, parts: SocketParts) {
    const { at, fd, hot } = parts;
    this.#libc = libc;
    this.#parts = parts;
    this.address = at.address;
    this.port = boundPort(libc, fd);
    const { udpPayload, most, guardOptions: guard } = hot ?? withoutHot;
    const start: LoopStart = { fd, shared: this.#shared, udpPayload, most, guard };
    this.#worker = new Worker(new URL('./loop.ts', import.meta.url), {
      workerData: start,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.#worker.on('message', (message: Handed | Sampled) => {
      if ('count' in message) this.#answerHanded(message);
      else this.#note(message);
    });
  }

  async online(): Promise<void> {
    await once(this.#worker, 'online');
    this.#parts.hot?.follow(this);
  }

  /** From now on the thread takes what arrives; nobody else may. */
  begin(): void {
    // who had the socket before may have made it one that does not block
    this.#libc.fcntl(this.#parts.fd, C.F_SETFL, C.O_RDWR);
    Atomics.store(this.#shared, WORD.begin, 1);
    Atomics.notify(this.#shared, WORD.begin);
  }

  put(answer: HotAnswer): void {
    this.#mail({ kind: 'put', answer });
  }

  /** Returns when no reply made of them is still to be sent. */
  drop(hashes: readonly number[]): void {
    this.#mail({ kind: 'drop', hashes });
    if (Atomics.load(this.#shared, WORD.busy) === 1) Atomics.wait(this.#shared, WORD.busy, 1, mostBusyMs);
  }

  takeCounts(): FollowerCounts {
    const take = (word: number) => Atomics.exchange(this.#shared, word, 0);
    const replies = Array.from({ length: codes }, (_, rcode) => take(WORD.replies + rcode));
    return { replies, dropped: take(WORD.refused), limited: take(WORD.limited) };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.hot?.unfollow(this);
    const ended = once(this.#worker, 'exit');
    Atomics.store(this.#shared, WORD.stop, 1);
    this.begin();
    this.#libc.shutdown(this.#parts.fd, C.SHUT_RDWR);
    await ended;
    this.#libc.close(this.#parts.fd);
  }

  #mail(mail: Mail): void {
    this.#worker.postMessage(mail);
    Atomics.add(this.#shared, WORD.mail, 1);
  }

  #answerHanded({ count, packets }: Handed): void {
    Atomics.sub(this.#shared, WORD.waiting, count);
    const bytes = Buffer.from(packets.buffer, packets.byteOffset, packets.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const packetAt = at + socketAddressLength + 2;
      const end = packetAt + bytes.readUInt16BE(packetAt - 2);
      this.#answer(bytes.subarray(packetAt, end), bytes.subarray(at, at + socketAddressLength));
      at = end;
    }
  }

  #note({ packets, rcode, standsFor }: Sampled): void {
    const from = Buffer.from(packets.buffer, packets.byteOffset, socketAddressLength);
    const client = { ...readSocketAddress(from), transport: 'udp' } as const;
    const packet = packets.subarray(socketAddressLength);
    this.#parts.hot?.noteSample({ packet, client, rcode, standsFor });
  }

  #answer(packet: Buffer, from: Buffer): void {
    const reply = this.#parts.respond(packet, { ...readSocketAddress(from), transport: 'udp' });
    if (reply instanceof Promise) reply.then((bytes) => this.#send(bytes, from));
    else this.#send(reply, from);
  }

  #send(bytes: Uint8Array | undefined, to: Buffer): void {
    // the number may be another file's after closing
    if (bytes === undefined || this.#closed) return;
    const length = to.readUInt16LE() === C.AF_INET6 ? socketAddressLength : 16;
    this.#libc.sendto(this.#parts.fd, bytes, BigInt(bytes.length), C.MSG_DONTWAIT, to, length);
  }
}
