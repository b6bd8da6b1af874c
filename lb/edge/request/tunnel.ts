import type { EdgeContext } from '../context.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { UpstreamUser } from '../upstream/upstream-connection.ts';
import type { Pipe } from '../wire/pipe.ts';

const textBytes = 4_096;

export type TunnelOptions = {
  /** Called whenever something moves, to put off the client's deadline and to count. */
  readonly touch: (bytes: number, fromClient: boolean) => void;
  /** With how many bytes the client sent. */
  readonly ended: (receivedBytes: number) => void;
};

/**
 * An upgraded connection: bytes both ways until both sides have ended. Each side may end first and still receive.
 * It holds its endpoint's count until the connection to the endpoint is gone.
 */
export class Tunnel implements UpstreamUser {
  readonly #context: EdgeContext;
  readonly #client: Pipe;
  readonly #upstream: Connection;
  readonly #options: TunnelOptions;
  #received = 0;

  constructor(
    context: EdgeContext,
    sides: { readonly client: Pipe; readonly upstream: Connection },
    options: TunnelOptions,
  ) {
    this.#context = context;
    this.#client = sides.client;
    this.#upstream = sides.upstream;
    this.#options = options;
    this.#upstream.deadlineAt = Number.POSITIVE_INFINITY;
    this.#upstream.user = this;
    this.#client.watch?.();
    this.#upstream.wire.watch?.();
  }

  clientBytes(buffer: Buffer, at: number, end: number): void {
    this.#received += end - at;
    this.#move(buffer, at, end, this.#client, this.#upstream.wire);
  }

  clientEnded(): void {
    this.#upstream.wire.end();
  }

  clientDrained(): void {
    this.#upstream.wire.resume();
  }

  clientClosed(): void {
    this.#upstream.destroy();
  }

  connected(): void {}

  bytes(buffer: Buffer, length: number): void {
    this.#move(buffer, 0, length, this.#upstream.wire, this.#client);
  }

  ended(): void {
    this.#client.end();
  }

  drained(): void {
    this.#client.resume();
  }

  closed(): void {
    this.#upstream.user = undefined;
    this.#context.upstreams.leave(this.#upstream.upstream);
    this.#options.ended(this.#received);
    this.#client.leave();
  }

  overdue(): void {}

  #move(buffer: Buffer, at: number, end: number, from: Pipe, to: Pipe): void {
    if (at === end) return;
    this.#options.touch(end - at, from === this.#client);
    if (end - at <= textBytes) to.write(buffer.toString('latin1', at, end));
    else to.writeBytes(Buffer.from(buffer.subarray(at, end)));
    if (to.congested) from.pause();
  }
}
