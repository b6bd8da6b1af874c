import type { Socket } from 'node:net';
import { type StreamBinding, streamBinding, type WriteRequest } from './stream-binding.ts';
import type { TurnWrites, Waiting } from './turn-writes.ts';

/** What the runtime's TCP handle does with texts and bytes: 0 or an error number. */
type Handle = {
  writeLatin1String(request: object, text: string): number;
  writeBuffer(request: object, bytes: Buffer): number;
};

export type DirectWriterOptions = {
  readonly writes: TurnWrites;
  /** What the kernel did not take at once has left. */
  readonly onDrained: () => void;
  readonly onBroken: () => void;
};

/** So much the runtime writes from its stack; more is copied to the heap first. */
const mostQueued = 16_384;

/**
 * Writes small texts to a connected socket without the stream around it, which takes a tenth of the CPU time that the
 * edge itself spends on a request. Whatever the kernel does not take at once waits in the same queue that the stream
 * writes to, so both can be used one after the other, with a `flush` in between.
 */
export class DirectWriter implements Waiting {
  readonly #handle: Handle;
  readonly #binding: StreamBinding;
  readonly #options: DirectWriterOptions;
  #request: WriteRequest;
  #queued = '';
  #waiting = 0;

  /** Undefined where the runtime has no such handle: then the stream does it. */
  static on(socket: Socket, options: DirectWriterOptions): DirectWriter | undefined {
    const handle: unknown = Reflect.get(socket, '_handle');
    const binding = streamBinding();
    if (binding === undefined || !isHandle(handle)) return undefined;
    return new DirectWriter(handle, binding, options);
  }

  private constructor(handle: Handle, binding: StreamBinding, options: DirectWriterOptions) {
    this.#handle = handle;
    this.#binding = binding;
    this.#options = options;
    this.#request = new binding.WriteWrap();
  }

  /** Something written has not been taken by the kernel yet. */
  get waiting(): boolean {
    return this.#waiting > 0;
  }

  /** One character per byte; leaves at the end of this turn of the event loop. */
  write(text: string): void {
    if (this.#queued === '') this.#options.writes.add(this);
    this.#queued += text;
    if (this.#queued.length > mostQueued) this.flush();
  }

  /** Writes now what was to be written. */
  flush(): void {
    const text = this.#queued;
    if (text === '') return;
    this.#queued = '';
    const { streamBaseState, kLastWriteWasAsync } = this.#binding;
    const error = this.#handle.writeLatin1String(this.#request, text);
    if (error !== 0) this.#options.onBroken();
    else if (streamBaseState[kLastWriteWasAsync] !== 0) this.#await();
  }

  /** Writes now. True: the kernel has not taken all of it yet, and the memory must stay as it is. */
  writeBytes(bytes: Buffer): boolean {
    this.flush();
    const { streamBaseState, kLastWriteWasAsync } = this.#binding;
    const error = this.#handle.writeBuffer(this.#request, bytes);
    if (error !== 0) this.#options.onBroken();
    else if (streamBaseState[kLastWriteWasAsync] !== 0) {
      // The runtime does not hold it as long as the write lasts.
      this.#request.bytes = bytes;
      this.#await();
      return true;
    }
    return false;
  }

  /** The request now belongs to the write that is under way. */
  #await(): void {
    this.#waiting++;
    this.#request.oncomplete = (status) => {
      this.#waiting--;
      if (status === 0 && this.#waiting === 0) this.#options.onDrained();
    };
    this.#request = new this.#binding.WriteWrap();
  }
}

function isHandle(value: unknown): value is Handle {
  return typeof value === 'object' && value !== null && 'writeLatin1String' in value;
}
