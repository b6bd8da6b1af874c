import { Backlog } from '../backlog.ts';
import type { Deadlined } from '../deadlines.ts';
import type { Front } from '../front.ts';
import type { UpstreamContext } from '../upstream-context.ts';
import type { Wire, WireUser } from '../wire.ts';
import { scanHello } from './client-hello.ts';

/** ingress.md A5. */
const patienceMs = 5_000;

export type HelloOptions = {
  readonly open: (user: WireUser) => Wire;
  /** The name a client asks for ('' for none), and all that came so far; the wire gets another user. */
  readonly onHello: (wire: Wire, serverName: string, first: Buffer) => void;
  /** It came to nothing. */
  readonly onClosed: (reader: HelloReader) => void;
};

/** Waits for the ClientHello of a connection whose TLS is not ours to end. */
export class HelloReader implements Front, WireUser, Deadlined {
  readonly wire: Wire;
  readonly deadlineAt: number;
  readonly #context: UpstreamContext;
  readonly #options: HelloOptions;
  readonly #backlog = new Backlog();

  constructor(context: UpstreamContext, options: HelloOptions) {
    this.#context = context;
    this.#options = options;
    this.deadlineAt = context.clock.now() + patienceMs;
    this.wire = options.open(this);
    context.deadlines.add(this);
  }

  bytes(buffer: Buffer, length: number): void {
    this.#backlog.append(buffer, 0, length);
    const { bytes, start, end } = this.#backlog;
    const scan = scanHello(bytes.subarray(start, end));
    if (scan.kind === 'incomplete') return;
    if (scan.kind === 'unreadable') {
      this.wire.reset();
      return;
    }
    this.#context.deadlines.delete(this);
    const first = Buffer.from(bytes.subarray(start, end));
    this.#options.onHello(this.wire, scan.hello.serverName ?? '', first);
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
