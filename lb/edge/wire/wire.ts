import { connect, Socket } from 'node:net';
import type { Slices } from '../http1/slices.ts';
import { type Reading, readDirectly } from './direct-reader.ts';
import { DirectWriter } from './direct-writer.ts';
import type { Pipe } from './pipe.ts';
import type { ReadMemory } from './read-memory.ts';
import type { Holdable, TurnShare } from './turn-share.ts';
import type { TurnWrites } from './turn-writes.ts';

/** Content up to this size is written together with its head. */
const joinedBytes = 8_192;

/** A silent peer is asked whether it is there: one that is gone is noticed after two minutes. */
const watch = { afterMs: 60_000, everyMs: 15_000, times: 4 };
/** A read of this size is one of many. */
const muchBytes = 32_768;

/** What a wire tells its user. Bytes are only valid during the call: the read buffer is shared by all wires. */
export interface WireUser {
  bytes(buffer: Buffer, length: number): void;
  /** The other side will send no more. */
  ended(): void;
  /** What was written has left; `congested` is false again. */
  drained(): void;
  /** The connection is gone; called once, last. */
  closed(): void;
}

/** What the wires of one worker share. */
export type SharedByWires = {
  readonly readBuffer: Buffer;
  readonly writes: TurnWrites;
  readonly memory: ReadMemory;
  readonly share: TurnShare;
};

/** What a socket of the runtime is made of; null once it is destroyed. */
type Handled = { readonly _handle: object | null };

type OnRead = { readonly buffer: Buffer; readonly callback: (length: number, buffer: Buffer) => boolean };

/** One connection: bytes in through a shared static buffer (no allocation per read), bytes out with back-pressure. */
export class Wire implements Pipe, Holdable {
  user: WireUser;
  readonly socket: Socket;
  /** Bytes handed to it so far. */
  written = 0;
  #paused = false;
  #ended = false;
  /** The stream was written to and may hold some of it. Most wires never do, and each question to the stream costs. */
  #streams = false;
  #direct: DirectWriter | undefined;
  #handled: Handled | undefined;
  #memory: ReadMemory | undefined;
  /** It may have memory of its own. */
  readonly #carriesMuch: boolean;
  /** What it reads into by itself; undefined: into what all share. */
  #own: Buffer | undefined;
  #reading: Reading | undefined;

  readonly #onEnd = () => this.user.ended();
  readonly #onDrain = () => this.#drained();
  readonly #onClose = () => this.user.closed();

  constructor(socket: Socket, user: WireUser, carriesMuch = false) {
    this.socket = socket;
    this.user = user;
    this.#carriesMuch = carriesMuch;
    // The reason does not matter to anyone: 'close' follows and tells the user.
    socket.on('error', () => {});
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('close', this.#onClose);
  }

  get congested(): boolean {
    return this.#direct?.waiting === true || (this.#isStreaming && this.socket.writableNeedDrain);
  }

  get open(): boolean {
    return !this.#ended && !this.#isGone;
  }

  /** The handle is gone as soon as the stream is destroyed; asking the stream itself costs 1 % of a request's CPU time. */
  get #isGone(): boolean {
    return this.#handled === undefined ? this.socket.destroyed : this.#handled._handle === null;
  }

  /** One character per byte. */
  write(text: string): void {
    if (!this.open || text === '') return;
    this.written += text.length;
    if (this.#direct === undefined || this.#isStreaming) this.#stream(text);
    else this.#direct.write(text);
  }

  /** From now on bytes and texts come from and go to the connected handle, where the runtime allows it. */
  goDirectly({ readBuffer, writes, memory, share }: SharedByWires): void {
    const onDrained = () => this.#drained();
    this.#memory = memory;
    if (isHandled(this.socket)) this.#handled = this.socket;
    this.#direct = DirectWriter.on(this.socket, { writes, onDrained, onBroken: () => this.destroy() });
    this.#reading = readDirectly(this.socket, (length) => {
      this.user.bytes(this.#own ?? readBuffer, length);
      if (length >= muchBytes) share.took(this, length);
      return this.#nextMemory(memory, length);
    });
  }

  /** `bytes` belong to the wire from now on: a copy, never the read buffer. */
  writeBytes(bytes: Buffer): void {
    if (!this.open) return;
    this.written += bytes.length;
    this.#direct?.flush();
    this.#stream(bytes);
  }

  /** `head` and `bytes` in one packet train. */
  writeBoth(head: string, bytes: Buffer): void {
    if (!this.open) return;
    this.written += head.length + bytes.length;
    this.#direct?.flush();
    this.socket.cork();
    this.#stream(head);
    this.#stream(bytes);
    this.socket.uncork();
  }

  /** A head (or nothing) and content that lies in a read buffer. */
  writeContent(head: string, buffer: Buffer, content: Slices): void {
    if (content.size <= joinedBytes) this.write(head + content.text(buffer));
    else if (head !== '' || !this.#writesFrom(buffer, content)) this.writeBoth(head, content.copy(buffer));
  }

  /** Writes content from where it was read to, if that may be kept; false: it must be copied. */
  #writesFrom(buffer: Buffer, content: Slices): boolean {
    const isFree = this.open && this.#direct !== undefined && !this.#isStreaming;
    const piece = isFree && content.lent ? content.piece(buffer) : undefined;
    if (piece === undefined) return false;
    this.written += piece.length;
    if (this.#direct?.writeBytes(piece) === true) this.#memory?.keep(buffer);
    return true;
  }

  /** What was written to the stream has not all left it. */
  get #isStreaming(): boolean {
    if (!this.#streams) return false;
    this.#streams = this.socket.writableLength > 0 || this.socket.writableNeedDrain;
    return this.#streams;
  }

  #stream(data: string | Buffer): void {
    this.#streams = true;
    this.socket.write(data, 'latin1');
  }

  /** Undefined: where this read went. */
  #nextMemory(memory: ReadMemory, length: number): Buffer | undefined {
    if (this.#own === undefined) {
      if (length < muchBytes || !this.#carriesMuch) return undefined;
      this.#own = memory.create();
      return this.#own;
    }
    const next = memory.next(this.#own);
    if (next === this.#own) return undefined;
    this.#own = next;
    return next;
  }

  watch(): void {
    this.socket.setKeepAlive(true, watch.afterMs, watch.everyMs, watch.times);
  }

  /** The socket is somebody else's from now on; the user is told nothing more. */
  abandon(): void {
    this.pause();
    this.#direct?.flush();
    this.#reading?.giveBack();
    this.socket.off('end', this.#onEnd).off('drain', this.#onDrain).off('close', this.#onClose);
    this.socket.removeAllListeners('data');
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.socket.resume();
  }

  hold(): void {
    if (!this.#paused && !this.#isGone) this.#reading?.stop();
  }

  release(): void {
    if (!this.#paused && !this.#isGone) this.#reading?.start();
  }

  /** Sends what is left, then says that no more comes. */
  end(): void {
    this.#direct?.flush();
    this.#ended = true;
    this.socket.end();
  }

  /** After a clean end the client may still be reading what was written to it. */
  leave(): void {
    if (this.socket.writableEnded) this.socket.destroySoon();
    else this.reset();
  }

  destroy(): void {
    this.#direct?.flush();
    this.socket.destroy();
  }

  /** Ends so that the other side cannot take what it got for a whole message. */
  reset(): void {
    this.#direct?.flush();
    this.socket.resetAndDestroy();
  }

  #drained(): void {
    if (!this.congested) this.user.drained();
  }
}

/** A wire on a handle that a listening server just accepted. `handle` is Node's own TCP object. */
export function acceptedWire(handle: object, shared: SharedByWires, user: WireUser): Wire {
  // `handle` is not in the public types; it is what net.Server itself passes to net.Socket.
  const wire = wireOn((onread) => new Socket({ handle, onread, allowHalfOpen: true } as object), shared, {
    user,
  });
  // The option of the same name would only have it believe so: net.Server itself tells the handle.
  wire.socket.setNoDelay(true);
  wire.goDirectly(shared);
  return wire;
}

export function connectedWire(
  target: { readonly address: string; readonly port: number },
  shared: SharedByWires,
  user: WireUser,
): Wire {
  const wire = wireOn(
    (onread) =>
      connect({ host: target.address, port: target.port, onread, allowHalfOpen: true, noDelay: true }),
    shared,
    { user, carriesMuch: true },
  );
  wire.socket.once('connect', () => wire.goDirectly(shared));
  return wire;
}

/** A wire on a socket that brings its own buffers (TLS). */
export function streamWire(socket: Socket, user: WireUser): Wire {
  const wire = new Wire(socket, user);
  socket.on('data', (chunk: Buffer) => wire.user.bytes(chunk, chunk.length));
  return wire;
}

function wireOn(
  makeSocket: (onread: OnRead) => Socket,
  { readBuffer }: SharedByWires,
  { user, carriesMuch = false }: { readonly user: WireUser; readonly carriesMuch?: boolean },
): Wire {
  const callback = (length: number, buffer: Buffer) => {
    wire.user.bytes(buffer, length);
    return true;
  };
  const wire = new Wire(makeSocket({ buffer: readBuffer, callback }), user, carriesMuch);
  return wire;
}

function isHandled(socket: object): socket is Handled {
  return '_handle' in socket && typeof socket._handle === 'object';
}
