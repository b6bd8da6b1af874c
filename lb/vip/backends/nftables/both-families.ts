import { errorText } from '../../../../core/kit/errors.ts';
import type { VipBalance } from '../../../../core/model/vip-policy.ts';
import type { VipAudit, VipBackend, VipChoice, VipCounters, VipDrift, VipEjection } from '../../backend.ts';
import { VipUnavailable } from '../../errors.ts';
import type { VipProblem, VipService, VipTable } from '../../table.ts';
import type { NftablesVips } from './nftables.ts';

/** IPv4 and IPv6 in one. The IPv6 half begins with the first service that needs it: many machines have no IPv6. */
export class BothFamilies implements VipBackend, VipAudit, VipChoice, VipEjection {
  readonly kind = 'nftables';
  readonly #four: NftablesVips;
  readonly #six: NftablesVips;
  #usesSix = false;

  constructor(four: NftablesVips, six: NftablesVips) {
    this.#four = four;
    this.#six = six;
  }

  start(): Promise<void> {
    return this.#four.start();
  }

  async apply(table: VipTable): Promise<readonly VipProblem[]> {
    const problems = await this.#four.apply(table);
    const six: string[] = [];
    for (const [key, { address }] of table.services) if (address.includes(':')) six.push(key);
    if (six.length > 0) this.#usesSix = true;
    if (!this.#usesSix) return problems;
    try {
      return [...problems, ...(await this.#six.apply(table))];
    } catch (error) {
      if (!(error instanceof VipUnavailable)) throw error;
      return [
        ...problems,
        ...six.map((key) => ({ key, reason: `Cannot serve ${key}: ${errorText(error)}` })),
      ];
    }
  }

  async connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const four = await this.#four.connections(targets);
    return this.#usesSix ? new Map([...four, ...(await this.#six.connections(targets))]) : four;
  }

  async counters(): Promise<ReadonlyMap<string, VipCounters>> {
    const four = await this.#four.counters();
    return this.#usesSix ? new Map([...four, ...(await this.#six.counters())]) : four;
  }

  ejected(): ReadonlySet<string> {
    return this.#four.ejected().union(this.#six.ejected());
  }

  chosenBy(service: VipService): VipBalance | undefined {
    return this.#four.chosenBy(service);
  }

  async audit(): Promise<readonly VipDrift[]> {
    return [...(await this.#four.audit()), ...(this.#usesSix ? await this.#six.audit() : [])];
  }

  async stop(options: { readonly remove?: boolean } = {}): Promise<void> {
    await this.#four.stop(options);
    // An earlier process may have used it.
    if (this.#usesSix) await this.#six.stop(options);
    else if (options.remove) await this.#six.stop(options).catch(() => {});
    this.#usesSix = false;
  }
}
