import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Part } from '../core/kit/part.ts';
import { listenProblem } from './listen-problem.ts';

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** A guard answers a request itself, or says that it may pass. */
export type Guard = (request: IncomingMessage, response: ServerResponse) => boolean;

export type DoorOptions = {
  readonly host: string;
  readonly port: number;
  /** Looked at in order before anything else. */
  readonly guards?: readonly Guard[];
};

/** A connection on which nothing is asked is closed after this. */
const keepAliveMs = 72_000;

/** The API's socket. It listens from the start; who answers changes with leadership. */
export class Door implements Part {
  readonly #options: DoorOptions;
  readonly #waiting: Handle;
  #server: Server | undefined;
  #leading: Handle | undefined;

  /** `waiting` answers while nobody leads here. */
  constructor(options: DoorOptions, waiting: Handle) {
    this.#options = options;
    this.#waiting = waiting;
  }

  /** `http://host:port` it listens at. */
  get url(): string {
    const address = this.#server?.address();
    const port = typeof address === 'object' && address !== null ? address.port : this.#options.port;
    return `http://${this.#options.host}:${port}`;
  }

  /** Who answers as the leader; undefined: nobody does. */
  get leading(): Handle | undefined {
    return this.#leading;
  }

  /** Throws PortInUse. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const { host, port } = this.#options;
    const server = createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: 0 }, (request, response) =>
      this.#take(request, response),
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, resolve);
    }).catch(async (error: unknown) => {
      throw await listenProblem(error, { what: 'API', flag: '--api', at: { address: host, port } });
    });
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** From now on `handle` answers; requests that wait for a leader go to it too. */
  lead(handle: Handle): void {
    this.#leading = handle;
  }

  /** Nobody leads here any more: whoever listens to the leader is let go, to ask again. */
  giveUp(): void {
    if (this.#leading === undefined) return;
    this.#leading = undefined;
    this.#server?.closeAllConnections();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    for (const guard of this.#options.guards ?? []) if (!guard(request, response)) return;
    (this.#leading ?? this.#waiting)(request, response);
  }
}
