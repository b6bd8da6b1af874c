import type { ResponseHead } from '../http1/response-head.ts';
import type { Slices } from '../http1/slices.ts';
import type { Connection } from '../upstream/upstream.ts';
import type { Answer, ExchangeClient } from './exchange-client.ts';

/** An answer as a whole. `status` 0: there was none. */
export type Collected = {
  readonly status: number;
  /** Names in lower case. */
  readonly fields: readonly { readonly name: string; readonly value: string }[];
  /** One character per byte. */
  readonly content: string;
};

const maxContentBytes = 65_536;
const nothing: Collected = { status: 0, fields: [], content: '' };

/** For a question that the edge asks by itself: collects the answer, up to 64 KiB of its content. */
export class CollectingClient implements ExchangeClient {
  readonly congested = false;
  readonly answered: Promise<Collected>;
  readonly #resolve: (collected: Collected) => void;
  #collected = nothing;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<Collected>();
    this.answered = promise;
    this.#resolve = resolve;
  }

  answer({ head }: Answer, buffer: Buffer, content: Slices): void {
    const { status, text, fields: table } = head;
    const fields = Array.from({ length: table.count }, (_, n) => ({
      name: table.name(text, n).toLowerCase(),
      value: table.value(text, n),
    }));
    this.#collected = { status, fields, content: '' };
    this.content(buffer, content);
  }

  content(buffer: Buffer, content: Slices): void {
    if (this.#collected.content.length > maxContentBytes) return;
    const whole = this.#collected.content + content.text(buffer);
    this.#collected = { ...this.#collected, content: whole.slice(0, maxContentBytes) };
  }

  finished(): void {
    this.#resolve(this.#collected);
  }

  failed(): void {
    this.#resolve(nothing);
  }

  broken(): void {
    this.#resolve(nothing);
  }

  switched(connection: Connection): void {
    connection.destroy();
    this.#resolve(nothing);
  }

  wantContent(): void {}
  pause(): void {}
  resume(): void {}
  interim(_head: ResponseHead): void {}
  touched(): void {}
}
