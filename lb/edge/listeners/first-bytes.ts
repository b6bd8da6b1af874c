import type { Front } from '../front.ts';
import type { UpstreamContext } from '../upstream/upstream-context.ts';
import type { Deadlined } from '../wire/deadlines.ts';
import type { Wire, WireUser } from '../wire/wire.ts';
import { Backlog } from './backlog.ts';

/** What the first bytes of a connection come to. `rest`: those that whoever takes the connection has still to see. */
export type FirstScan<T> =
  | { readonly kind: 'found'; readonly value: T; readonly rest: Buffer }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'unreadable' };

export type FirstBytesOptions<T> = {
  readonly open: (user: WireUser) => Wire;
  readonly scan: (bytes: Buffer) => FirstScan<T>;
  /** The wire gets another user. */
  readonly onFound: (wire: Wire, value: T, rest: Buffer) => void;
  /** It came to nothing. */
  readonly onClosed: () => void;
};

/** Who does not say at once what it wants is not waited for (ingress.md A5). */
const patienceMs = 5_000;

/** A connection of which it is not known yet what becomes of it: its first bytes say. */
export class FirstBytes<T> implements Front, WireUser, Deadlined {
  readonly wire: Wire;
  readonly deadlineAt: number;
  readonly #context: UpstreamContext;
  readonly #options: FirstBytesOptions<T>;
  readonly #backlog = new Backlog();

  constructor(context: UpstreamContext, options: FirstBytesOptions<T>) {
    this.#context = context;
    this.#options = options;
    this.deadlineAt = context.clock.now() + patienceMs;
    this.wire = options.open(this);
    context.deadlines.add(this);
  }

  bytes(buffer: Buffer, length: number): void {
    this.#backlog.append(buffer, 0, length);
    const { bytes, start, end } = this.#backlog;
    const scan = this.#options.scan(bytes.subarray(start, end));
    if (scan.kind === 'incomplete') return;
    if (scan.kind === 'unreadable') {
      this.wire.reset();
      return;
    }
    this.#context.deadlines.delete(this);
    this.#options.onFound(this.wire, scan.value, scan.rest);
  }

  ended(): void {
    this.wire.destroy();
  }

  drained(): void {}

  closed(): void {
    this.#context.deadlines.delete(this);
    this.#options.onClosed();
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
