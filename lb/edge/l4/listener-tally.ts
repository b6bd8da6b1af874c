/** What is counted of one listener, as one worker knows it. `open` is a gauge. */
export type ListenerCounts = {
  readonly listener: string;
  readonly connections: number;
  readonly open: number;
  /** No route, no endpoint, not allowed, too many, or not what the listener expects. */
  readonly refused: number;
  /** From clients, and to them; only of what is not HTTP. */
  readonly bytesIn: number;
  readonly bytesOut: number;
};

/** Plain numbers: adding to one must cost nothing. */
export class ListenerTally {
  connections = 0;
  open = 0;
  refused = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly #listener: string;

  constructor(listener: string) {
    this.#listener = listener;
  }

  counts(): ListenerCounts {
    const { connections, open, refused, bytesIn, bytesOut } = this;
    return { listener: this.#listener, connections, open, refused, bytesIn, bytesOut };
  }
}
