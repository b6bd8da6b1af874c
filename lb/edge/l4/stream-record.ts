import { endpointName, type PoolEndpoint } from '../routes/route-table.ts';
import type { AccessLog } from '../telemetry/access-log.ts';

export type StreamRecordParts = {
  readonly log: AccessLog;
  readonly listener: string;
  readonly scheme: 'tcp' | 'tls' | 'udp';
  /** The client's address. */
  readonly client: string;
  /** What a client of TLS asked for; '' for nothing. */
  readonly serverName: string;
  /** ms since the epoch. */
  readonly now: number;
};

/** What the access log will say of one connection or flow: one line when it is over. */
export class StreamRecord {
  route: string | undefined;
  endpoint: PoolEndpoint | undefined;
  connectMs: number | undefined;
  why: string | undefined;
  bytesIn = 0;
  bytesOut = 0;
  readonly #parts: StreamRecordParts;

  get begunAt(): number {
    return this.#parts.now;
  }

  constructor(parts: StreamRecordParts) {
    this.#parts = parts;
  }

  count(bytes: number, fromClient: boolean): void {
    if (fromClient) this.bytesIn += bytes;
    else this.bytesOut += bytes;
  }

  end(): void {
    const { log, listener, scheme, client, serverName, now } = this.#parts;
    const { route, endpoint, connectMs, why, bytesIn, bytesOut } = this;
    log.add({
      ...{ begunAt: now, client, scheme, listener, host: serverName === '' ? undefined : serverName },
      ...{ bytesIn, bytesOut, connectMs, route, endpoint: endpoint && endpointName(endpoint), why },
    });
  }
}
