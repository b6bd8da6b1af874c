import type { RequestHead } from '../http1/request-head.ts';
import type { ClientFacts } from '../request/client-facts.ts';
import { endpointName } from '../routes/route-table.ts';
import type { Wire } from '../wire/wire.ts';
import type { AccessLog } from './access-log.ts';
import type { Journey } from './journey.ts';

export type TurnRecordParts = {
  readonly log: AccessLog;
  readonly host: { readonly wire: Pick<Wire, 'written' | 'socket'>; readonly facts: ClientFacts };
  readonly head: RequestHead;
  readonly now: number;
};

/** What the access log will say of one request of a connection. */
export class TurnRecord {
  route: string | undefined;
  status = 0;
  /** Head and content, as they came. */
  bytesIn = 0;
  readonly #parts: TurnRecordParts;
  readonly #writtenBefore: number;
  #ended = false;

  constructor(parts: TurnRecordParts) {
    this.#parts = parts;
    this.#writtenBefore = parts.host.wire.written;
  }

  /** It is over. A second call says nothing. */
  end(id: string, journey: Journey | undefined, why?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const { log, host, head, now } = this.#parts;
    const { address: client, scheme } = host.facts;
    const { path, target, method } = head;
    const { endpoint } = journey ?? {};
    log.add({
      begunAt: now,
      id,
      client,
      scheme,
      protocol: host.facts.http2 === true ? 'HTTP/2.0' : `HTTP/1.${head.minor}`,
      tls: tlsVersion(host.wire),
      host: head.host?.text,
      method,
      path,
      query: target.length > path.length ? target.slice(target.indexOf('?') + 1) || undefined : undefined,
      status: this.status,
      bytesIn: this.bytesIn,
      bytesOut: host.wire.written - this.#writtenBefore,
      connectMs: journey?.connectMs,
      firstByteMs: journey?.firstByteMs,
      route: this.route,
      endpoint: endpoint && endpointName(endpoint),
      retries: journey?.retries ?? 0,
      why,
    });
  }
}

/** `TLSv1.3`; undefined without TLS, or when the connection is gone. */
export function tlsVersion({ socket }: Pick<Wire, 'socket'>): string | undefined {
  const ask: unknown = Reflect.get(socket, 'getProtocol');
  const version: unknown = typeof ask === 'function' ? Reflect.apply(ask, socket, []) : undefined;
  return typeof version === 'string' ? version : undefined;
}
