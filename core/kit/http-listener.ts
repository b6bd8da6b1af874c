import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type ListenAddress, listenError } from './listen.ts';
import type { Part } from './part.ts';

/** A small HTTP server at one address, as a Part. Its stop ends open connections. */
export class HttpListener implements Part {
  readonly #answer: RequestListener;
  readonly #at: ListenAddress;
  #server: Server | undefined;

  constructor(at: ListenAddress, answer: RequestListener) {
    this.#at = at;
    this.#answer = answer;
  }

  /** Throws PortInUse or CannotListen. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer(this.#answer);
    try {
      server.listen(this.#at.port, this.#at.address);
      await once(server, 'listening');
    } catch (error) {
      throw listenError(this.#at, 'tcp', error);
    }
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }

  /** Where it listens now, the port filled in. */
  get bound(): ListenAddress {
    const address = this.#server?.address();
    const port = address !== null && typeof address === 'object' ? address.port : this.#at.port;
    return { address: this.#at.address, port };
  }
}
