import type { ServerResponse } from 'node:http';
import type { ApiEvent } from './marathon/events.ts';

/** A client that has more undelivered events than this is behind (Marathon §9.1). */
const mostUndelivered = 1_024;
/** It is cut off when it stays behind: many events may come at once, and nobody can read them before they are sent. */
const patienceMs = 1_000;
/** Cut off at once: this much is kept for no client. */
const mostUndeliveredBytes = 64 * 1024 * 1024;

/** An event in the two forms that clients choose from; each is made once, when the first client wants it. */
export type Emission = { readonly type: string; readonly light: () => Buffer; readonly heavy: () => Buffer };

export function emission(light: ApiEvent, heavy?: () => ApiEvent): Emission {
  const lightFrame = once(() => frame(light));
  return {
    type: light.eventType,
    light: lightFrame,
    heavy: heavy === undefined ? lightFrame : once(() => frame(heavy())),
  };
}

export type EventClientOptions = {
  /** None: all. */
  readonly types: readonly string[];
  readonly isHeavy: boolean;
  readonly now: () => number;
  /** Told why, when it is cut off: the client re-reads state when it comes back. */
  readonly cutOff: (reason: string) => void;
};

/** One client of the event stream. What happens in the same turn is written together. */
export class EventClient {
  readonly #response: ServerResponse;
  readonly #options: EventClientOptions;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #undelivered = 0;
  #behindSince: number | undefined;

  constructor(response: ServerResponse, options: EventClientOptions) {
    this.#response = response;
    this.#options = options;
  }

  take(event: Emission): void {
    const { types, isHeavy } = this.#options;
    if (this.#response.destroyed || !wants(types, event.type)) return;
    const text = isHeavy ? event.heavy() : event.light();
    if (this.#gathered.length === 0) setImmediate(() => this.#write());
    this.#gathered.push(text);
    this.#gatheredBytes += text.length;
    this.#check();
  }

  /** For clients and proxies that give up on silence. */
  keepAlive(): void {
    this.#check();
    if (!this.#response.destroyed) this.#response.write('\r\n');
  }

  #write(): void {
    const events = this.#gathered;
    if (events.length === 0 || this.#response.destroyed) return;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#undelivered += events.length;
    this.#response.write(events.length === 1 ? events[0]! : Buffer.concat(events), () => {
      this.#undelivered -= events.length;
      if (this.#undelivered <= mostUndelivered) this.#behindSince = undefined;
    });
    if (this.#undelivered > mostUndelivered) this.#behindSince ??= this.#options.now();
  }

  #check(): void {
    const bytes = this.#gatheredBytes + this.#response.writableLength;
    const late = this.#behindSince !== undefined && this.#options.now() - this.#behindSince > patienceMs;
    if (bytes > mostUndeliveredBytes) this.#cut(`${bytes} bytes`);
    else if (late) this.#cut(`${this.#undelivered} events`);
  }

  #cut(behind: string): void {
    if (this.#response.destroyed) return;
    this.#gathered = [];
    this.#response.destroy();
    this.#options.cutOff(`it does not read, ${behind} are waiting`);
  }
}

/** Some clients of Marathon fail on a type they do not know (§23): Weir's own are for who names them. */
function wants(types: readonly string[], type: string): boolean {
  if (types.includes(type)) return true;
  return types.length === 0 && !type.startsWith('weir_');
}

function frame(event: ApiEvent): Buffer {
  return Buffer.from(`event: ${event.eventType}\r\ndata: ${JSON.stringify(event)}\r\n\r\n`);
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
