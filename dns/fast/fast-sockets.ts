import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type ListenAddress, listenError } from '../../core/kit/listen.ts';
import type { HotAnswers, HotFollower } from '../hot/answers.ts';
import type { HotAnswer } from '../hot/table.ts';
import type { Respond } from '../respond.ts';
import type { OpenSocket, SocketLayer } from '../sockets.ts';
import { C, type Libc } from './libc.ts';
import { codes, type Handed, type LoopStart, longestQuery, type Mail, sharedWords, WORD } from './shared.ts';
import { readSocketAddress, socketAddress, socketAddressLength } from './socket-address.ts';

/** A blocked thread looks up so often, so that a process can always end. */
const lookUpEveryMs = 250;
const receiveBuffer = 1 << 20;
/** The loop is never busy for so long; it is a bound, not a delay. */
const mostBusyMs = 5;

/**
 * Datagrams by a thread of their own that receives and sends them in batches (recvmmsg, sendmmsg), with the hot answers in
 * it. What is not hot is answered by the main thread on the same socket.
 */
export function fastSockets(libc: Libc): SocketLayer {
  return {
    name: 'fast',
    async open(at, respond, hot) {
      const fd = bound(libc, at);
      try {
        return await FastSocket.start(libc, { fd, at, respond, hot });
      } catch (error) {
        libc.close(fd);
        throw error;
      }
    },
  };
}

function bound(libc: Libc, at: ListenAddress): number {
  const six = isIPv6(at.address);
  const fd = libc.socket(six ? C.AF_INET6 : C.AF_INET, C.SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) throw listenError(at, 'udp', systemError(libc, 'socket'));
  setOption(libc, fd, { level: C.SOL_SOCKET, name: C.SO_RCVBUF, value: Int32Array.of(receiveBuffer) });
  // struct timeval: seconds and microseconds
  const timeout = BigInt64Array.of(0n, BigInt(lookUpEveryMs) * 1_000n);
  setOption(libc, fd, { level: C.SOL_SOCKET, name: C.SO_RCVTIMEO, value: timeout });
  if (six) setOption(libc, fd, { level: C.IPPROTO_IPV6, name: C.IPV6_V6ONLY, value: Int32Array.of(1) });
  const address = socketAddress(at);
  if (libc.bind(fd, address, address.length) === 0) return fd;
  const error = systemError(libc, 'bind');
  libc.close(fd);
  throw listenError(at, 'udp', error);
}

type SocketOption = {
  readonly level: number;
  readonly name: number;
  readonly value: Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;
};

function setOption(libc: Libc, fd: number, { level, name, value }: SocketOption): void {
  libc.setsockopt(fd, level, name, value, value.byteLength);
}

function systemError(libc: Libc, call: string): Error {
  const code = getSystemErrorName(-libc.errno());
  return Object.assign(new Error(`${call}: ${code}`), { code });
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

  static async start(libc: Libc, parts: SocketParts): Promise<FastSocket> {
    const socket = new FastSocket(libc, parts);
    await once(socket.#worker, 'online');
    parts.hot?.follow(socket);
    return socket;
  }

  private constructor(libc: Libc, parts: SocketParts) {
    const { at, fd, hot } = parts;
    this.#libc = libc;
    this.#parts = parts;
    this.address = at.address;
    this.port = boundPort(libc, fd);
    const { udpPayload, most } = hot ?? { udpPayload: longestQuery, most: 0 };
    const start: LoopStart = { fd, shared: this.#shared, udpPayload, most };
    this.#worker = new Worker(new URL('./loop.ts', import.meta.url), {
      workerData: start,
      execArgv: ['--disable-warning=ExperimentalWarning'],
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.#worker.on('message', (handed: Handed) => this.#answerHanded(handed));
  }

  put(answer: HotAnswer): void {
    this.#mail({ kind: 'put', answer });
  }

  /** Returns when no reply made of them is still to be sent. */
  drop(hashes: readonly number[] | undefined): void {
    this.#mail({ kind: 'drop', hashes });
    if (Atomics.load(this.#shared, WORD.busy) === 1) Atomics.wait(this.#shared, WORD.busy, 1, mostBusyMs);
  }

  takeReplies(report: (rcode: number, count: number) => void): void {
    for (let rcode = 0; rcode < codes; rcode++) {
      const count = Atomics.exchange(this.#shared, WORD.replies + rcode, 0);
      if (count !== 0) report(rcode, count);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.hot?.unfollow(this);
    const ended = once(this.#worker, 'exit');
    Atomics.store(this.#shared, WORD.stop, 1);
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

function boundPort(libc: Libc, fd: number): number {
  const address = Buffer.from(new ArrayBuffer(socketAddressLength));
  libc.getsockname(fd, address, Uint32Array.of(socketAddressLength));
  return readSocketAddress(address).port;
}
