import type { RouteLimits } from '../../../core/model/route.ts';
import { TokenBucket } from './token-bucket.ts';

/** A request that was let in; `end` once it is over. */
export type Lease = { end(): void };
export type Admission = Lease | 'client' | 'route';

type Client = { readonly bucket: TokenBucket | undefined; inFlight: number };

/** Addresses that are remembered: those that came last. */
const maxClients = 20_000;

/** Keeps one route's requests within its limits, at one worker. */
export class Limiter {
  readonly #limits: RouteLimits;
  readonly #bucket: TokenBucket | undefined;
  readonly #clients = new Map<string, Client>();
  #inFlight = 0;

  constructor(limits: RouteLimits) {
    this.#limits = limits;
    this.#bucket = bucketOf(limits.perSecond, limits.burst);
  }

  /** A lease, or whose limit is reached. Whoever is refused has used nothing up. `now` in ms. */
  admit(address: string, now: number): Admission {
    const { concurrent = Number.POSITIVE_INFINITY, clientConcurrent = Number.POSITIVE_INFINITY } =
      this.#limits;
    const client = this.#client(clientKey(address));
    if (client.inFlight >= clientConcurrent || client.bucket?.has(now) === false) return 'client';
    if (this.#inFlight >= concurrent || this.#bucket?.has(now) === false) return 'route';
    client.bucket?.take();
    this.#bucket?.take();
    return this.#lease(client);
  }

  #lease(client: Client): Lease {
    client.inFlight++;
    this.#inFlight++;
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      client.inFlight--;
      this.#inFlight--;
    };
    return { end };
  }

  #client(key: string): Client {
    const { clientPerSecond, clientBurst } = this.#limits;
    const known = this.#clients.get(key) ?? { bucket: bucketOf(clientPerSecond, clientBurst), inFlight: 0 };
    this.#clients.delete(key);
    this.#clients.set(key, known);
    if (this.#clients.size > maxClients) this.#forgetOldest();
    return known;
  }

  /** One with requests in flight is kept: its count would begin anew. */
  #forgetOldest(): void {
    for (const [key, { inFlight }] of this.#clients) {
      if (inFlight > 0) continue;
      this.#clients.delete(key);
      return;
    }
  }
}

function bucketOf(perSecond: number | undefined, burst: number | undefined): TokenBucket | undefined {
  return perSecond === undefined ? undefined : new TokenBucket(perSecond, burst ?? Math.max(1, perSecond));
}

/** Who has one IPv6 address has a /64 of them. */
function clientKey(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail = ''] = address.split('::');
  const first = head.split(':').filter((part) => part !== '');
  const last = tail.split(':').filter((part) => part !== '');
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => '0');
  return [...first, ...zeros, ...last].slice(0, 4).join(':');
}
