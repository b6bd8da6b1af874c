import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText } from '../../core/kit/errors.ts';
import { HttpListener } from '../../core/kit/http-listener.ts';
import type { ListenAddress } from '../../core/kit/listen.ts';
import type { Part } from '../../core/kit/part.ts';
import { type Page, type StatisticsSource, statisticsPage } from './answers.ts';

/** Serves the statistics of one edge. It runs beside the control process: what it is asked slows no public request. */
export class StatisticsServer implements Part {
  readonly #source: StatisticsSource;
  readonly #listener: HttpListener;

  constructor(source: StatisticsSource, at: ListenAddress) {
    this.#source = source;
    this.#listener = new HttpListener(at, (request, response) => void this.#answer(request, response));
  }

  /** Throws PortInUse or CannotListen. */
  start(): Promise<void> {
    return this.#listener.start();
  }

  stop(): Promise<void> {
    return this.#listener.stop();
  }

  /** The port that it really got. */
  get port(): number {
    return this.#listener.bound.port;
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
