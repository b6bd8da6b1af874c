import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';

type Find = (host: string) => Promise<string>;

/** Later ones push the oldest out. */
const mostKnown = 1_000;

/** Addresses of endpoints that are given by the names of their hosts: HAProxy takes no name while it runs. */
export class HostNames {
  readonly #find: Find;
  readonly #addresses = new Map<string, string | undefined>();

  constructor(find: Find = firstAddress) {
    this.#find = find;
  }

  /** Undefined: nobody knows it now. */
  addressOf(host: string): string | undefined {
    return isIP(host) === 0 ? this.#addresses.get(host) : host;
  }

  /** True when one of these is at another address than before. */
  async learn(hosts: Iterable<string>): Promise<boolean> {
    const found = await Promise.all(
      [...hosts].map(async (host) => [host, await this.#find(host).catch(() => undefined)] as const),
    );
    const changed = found.filter(([host, address]) => this.#note(host, address));
    return changed.length > 0;
  }

  /** Asks for all of them again; a name that nobody knows any more keeps its address. */
  refresh(): Promise<boolean> {
    return this.#addresses.size === 0 ? Promise.resolve(false) : this.learn([...this.#addresses.keys()]);
  }

  #note(host: string, address: string | undefined): boolean {
    const known = this.#addresses.get(host);
    this.#addresses.delete(host);
    this.#addresses.set(host, address ?? known);
    const [oldest] = this.#addresses.keys();
    if (this.#addresses.size > mostKnown && oldest !== undefined) this.#addresses.delete(oldest);
    return address !== undefined && address !== known;
  }
}

async function firstAddress(host: string): Promise<string> {
  const { address } = await lookup(host, { order: 'ipv4first' });
  return address;
}
