import type { ServerResponse } from 'node:http';
import type { Log } from '../core/kit/log.ts';
import type { Agent } from '../core/model/agent.ts';

/** An agent that does not read this much is cut off; it connects again and gets what it missed. */
const mostUnreadBytes = 64 * 1024 * 1024;

export type Connection = { readonly response: ServerResponse; readonly proven: boolean };

/** One agent's long response: lines, until either end closes it. */
export class AgentStream {
  readonly closed: Promise<void>;
  /** Somebody there consumes the Directory. */
  readonly isTold: boolean;
  /** It needs certificates. */
  readonly isEdge: boolean;
  /** Endpoints that drain are among those it is told of. */
  readonly knowsDraining: boolean;
  /** An edge that has not proved itself is told no keys. */
  readonly isProven: boolean;
  readonly #agent: Agent;
  readonly #response: ServerResponse;
  readonly #log: Log;

  constructor(agent: Agent, { response, proven }: Connection, log: Log) {
    this.#agent = agent;
    this.#response = response;
    this.#log = log;
    this.isTold = agent.consumers.length > 0;
    this.isEdge = agent.edge;
    this.isProven = proven;
    this.knowsDraining = agent.understands?.includes('draining') ?? false;
    this.closed = new Promise((resolve) => response.on('close', resolve));
    // It ends with its connection, so its parts need no lengths: every write is one write to the socket.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
  }

  send(lines: string | Buffer): void {
    if (this.#response.destroyed) return;
    this.#response.write(lines);
    if (this.#response.writableLength <= mostUnreadBytes) return;
    this.#log.warn('agent does not read, closing its stream', { agent: this.#agent.id });
    this.#response.destroy();
  }
}
