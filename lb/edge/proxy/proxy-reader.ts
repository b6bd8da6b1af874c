import type { Deadlined } from '../deadlines.ts';
import type { Front } from '../front.ts';
import type { UpstreamContext } from '../upstream-context.ts';
import type { Wire, WireUser } from '../wire.ts';
import { type ProxyEnds, scanProxyHeader } from './proxy-header.ts';

/** A proxy sends its header with the connection; who does not is none. */
const patienceMs = 5_000;

export type ProxyReaderOptions = {
  readonly open: (user: WireUser) => Wire;
  /** The header is read; `rest` came behind it. The wire gets another user. Undefined ends: those of the connection count. */
  readonly onHeader: (wire: Wire, ends: ProxyEnds | undefined, rest: Buffer) => void;
  /** Without a header. */
  readonly onClosed: (reader: ProxyReader) => void;
};

/** Waits for the PROXY header of a connection, which must come first, before TLS too. */
export class ProxyReader implements Front, WireUser, Deadlined {
  readonly wire: Wire;
  readonly deadlineAt: number;
  readonly #context: UpstreamContext;
  readonly #options: ProxyReaderOptions;
  #held: Buffer = Buffer.alloc(0);

  constructor(context: UpstreamContext, options: ProxyReaderOptions) {
    this.#context = context;
    this.#options = options;
    this.deadlineAt = context.clock.now() + patienceMs;
    this.wire = options.open(this);
    context.deadlines.add(this);
  }

  bytes(buffer: Buffer, length: number): void {
    this.#held = Buffer.concat([this.#held, buffer.subarray(0, length)]);
    const scan = scanProxyHeader(this.#held);
    if (scan.kind === 'incomplete') return;
    if (scan.kind === 'fault') {
      this.wire.reset();
      return;
    }
    this.#context.deadlines.delete(this);
    this.#options.onHeader(this.wire, scan.ends, this.#held.subarray(scan.length));
  }

  ended(): void {
    this.wire.destroy();
  }

  drained(): void {}

  closed(): void {
    this.#context.deadlines.delete(this);
    this.#options.onClosed(this);
  }

  overdue(): void {
    this.wire.reset();
  }

  /** What it becomes is told to leave in its turn. */
  leave(): void {}

  close(): void {
    this.wire.destroy();
  }

  drain(): void {}

  destroy(): void {
    this.wire.destroy();
  }
}
