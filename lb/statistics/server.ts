import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { errorText } from '../../core/kit/errors.ts';
import { type ListenAddress, listenError } from '../../core/kit/listen.ts';
import type { Part } from '../../core/kit/part.ts';
import { type Page, type StatisticsSource, statisticsPage } from './answers.ts';

/** Serves the statistics of one edge. It runs beside the control process: what it is asked slows no public request. */
export class StatisticsServer implements Part {
  readonly #source: StatisticsSource;
  readonly #at: ListenAddress;
  #server: Server | undefined;

  constructor(source: StatisticsSource, at: ListenAddress) {
    this.#source = source;
    this.#at = at;
  }

  /** Throws PortInUse or CannotListen. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((request, response) => void this.#answer(request, response));
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

  /** The port that it really got. */
  get port(): number {
    const address = this.#server?.address();
    return address !== null && typeof address === 'object' ? address.port : this.#at.port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, text } = await this.#page(request);
    const head = {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-cache',
    };
    response.writeHead(status, status === 405 ? { ...head, allow: 'GET, HEAD' } : head);
    response.end(request.method === 'HEAD' ? undefined : text);
  }

  async #page({ method, url = '/' }: IncomingMessage): Promise<Page> {
    if (method !== 'GET' && method !== 'HEAD')
      return { status: 405, type: 'text/plain', text: `${method} is not supported, only GET\n` };
    try {
      return await statisticsPage(url, this.#source);
    } catch (error) {
      return { status: 503, type: 'text/plain', text: `${errorText(error)}\n` };
    }
  }
}
