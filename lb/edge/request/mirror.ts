import type { EdgeContext } from '../context.ts';
import { poolKey } from '../routes/pool-key.ts';
import { RouteTally } from '../telemetry/route-tally.ts';
import { CollectingClient } from './collecting-client.ts';
import { Exchange, type ExchangeRequest } from './exchange.ts';

type Content = { readonly content: Buffer | undefined; readonly complete: boolean };

/** Waits for the other service at most this much; then the copy is given up, never the request. */
const maxWaitingBytes = 262_144;

/** A copy of a request on its way to another service; nobody sees its answer. */
export class Mirror {
  readonly #exchange: Exchange;
  readonly #client: MirrorClient;
  #waiting: Buffer[] = [];
  #bytes = 0;
  #complete = false;
  #over = false;

  constructor(context: EdgeContext, request: ExchangeRequest, { content, complete }: Content) {
    const client = new MirrorClient(() => this.#flush());
    this.#client = client;
    void client.answered.then(() => {
      this.#over = true;
    });
    this.#exchange = new Exchange(context, client, request);
    this.#exchange.begin(content, complete);
  }

  /** More of the request's content. */
  content(bytes: Buffer | undefined, complete: boolean): void {
    if (this.#over) return;
    if (bytes !== undefined) this.#waiting.push(bytes);
    this.#bytes += bytes?.length ?? 0;
    this.#complete = complete;
    if (!this.#client.paused) this.#flush();
    if (this.#bytes > maxWaitingBytes) this.#giveUp();
  }

  #flush(): void {
    if (!this.#exchange.wantsContent || (this.#waiting.length === 0 && !this.#complete)) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#bytes = 0;
    this.#exchange.requestContent(bytes, this.#complete);
  }

  #giveUp(): void {
    this.#over = true;
    this.#waiting = [];
    this.#exchange.clientClosed();
  }
}

class MirrorClient extends CollectingClient {
  /** The other service does not take what it is sent. */
  paused = false;
  readonly #wanted: () => void;

  constructor(wanted: () => void) {
    super();
    this.#wanted = wanted;
  }

  override wantContent(): void {
    this.#wanted();
  }

  override pause(): void {
    this.paused = true;
  }

  override resume(): void {
    this.paused = false;
    this.#wanted();
  }
}

/** Begins a copy of so many requests in a hundred as the route says. */
export function mirrored(context: EdgeContext, request: ExchangeRequest, first: Content): Mirror | undefined {
  const { mirror } = request.options;
  if (mirror === undefined || request.upgrade !== undefined || context.chance() * 100 >= mirror.percent)
    return undefined;
  const tally = new RouteTally('mirror');
  const { balance, check, protocol } = request.options;
  const options = { ...(balance && { balance }), ...(check && { check }), ...(protocol && { protocol }) };
  const copy = { ...request, tally, poolKey: poolKey(mirror.service, options), options, lease: undefined };
  return new Mirror(context, { ...copy, edits: undefined, encoding: undefined }, first);
}
