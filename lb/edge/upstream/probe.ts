import { scanResponse } from '../http1/response-head.ts';
import { ownProxyHeader } from '../proxy/proxy-header.ts';
import type { CheckPlan, PoolEndpoint } from '../routes/route-table.ts';
import type { Deadlined } from '../wire/deadlines.ts';
import { connectedWire, type Wire, type WireUser } from '../wire/wire.ts';
import { probeHttp2 } from './probe-http2.ts';
import type { UpstreamContext } from './upstream-context.ts';
import { tlsWire } from './upstream-tls.ts';

const usualTimeoutMs = 2_000;

/** Asks an endpoint whether it is well: a connection, and 2xx or 3xx if there is a path to ask for. Never rejects. */
export function probe(context: UpstreamContext, endpoint: PoolEndpoint, check: CheckPlan): Promise<boolean> {
  const { protocol } = endpoint;
  // Without TLS a connection says nothing of what is spoken over it.
  if (protocol === 'h2' || (protocol === 'h2c' && check.path !== undefined))
    return probeHttp2(context, endpoint, { ...check, timeoutMs: check.timeoutMs ?? usualTimeoutMs });
  return new Probe(context, endpoint, check).result;
}

class Probe implements WireUser, Deadlined {
  readonly result: Promise<boolean>;
  readonly deadlineAt: number;
  readonly #context: UpstreamContext;
  readonly #wire: Wire;
  readonly #resolve: (well: boolean) => void;
  #text = '';

  constructor(context: UpstreamContext, { address, tls, ...ports }: PoolEndpoint, check: CheckPlan) {
    const place = { address, port: ports.checkPort ?? ports.port };
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.result = promise;
    this.#resolve = resolve;
    this.#context = context;
    this.deadlineAt = context.clock.now() + (check.timeoutMs ?? usualTimeoutMs);
    const preamble = check.sendProxy === undefined ? '' : ownProxyHeader(check.sendProxy);
    const connected = () => this.#connected(place, check);
    if (tls === undefined) {
      this.#wire = connectedWire(place, context.scratch, this);
      this.#wire.socket.once('connect', () => {
        if (preamble !== '') this.#wire.write(preamble);
        connected();
      });
    } else
      this.#wire = tlsWire(context, this, {
        endpoint: place,
        tls,
        connected,
        failed: () => {},
        preamble,
      });
    context.deadlines.add(this);
  }

  bytes(buffer: Buffer, length: number): void {
    this.#text += buffer.toString('latin1', 0, length);
    const { response } = this.#context.scratch;
    const bytes = Buffer.from(this.#text, 'latin1');
    const end = scanResponse(bytes, 0, bytes.length, response);
    if (end > 0) this.#end(/^HTTP\/1\.. [23]/.test(this.#text));
    else if (end !== -1 || this.#text.length > this.#context.settings.maxHeadBytes) this.#end(false);
  }

  ended(): void {
    this.#end(false);
  }

  drained(): void {}

  closed(): void {
    this.#end(false);
  }

  overdue(): void {
    this.#end(false);
  }

  #connected({ address, port }: { address: string; port: number }, { path, host: asked }: CheckPlan): void {
    if (path === undefined) {
      this.#end(true);
      return;
    }
    const host = address.includes(':') ? `[${address}]` : address;
    this.#wire.write(
      `GET ${path} HTTP/1.1\r\nHost: ${asked ?? `${host}:${port}`}\r\nUser-Agent: weir-edge\r\nConnection: close\r\n\r\n`,
    );
  }

  #end(well: boolean): void {
    this.#context.deadlines.delete(this);
    this.#resolve(well);
    this.#wire.destroy();
  }
}
