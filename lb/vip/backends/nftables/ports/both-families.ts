import { isIPv6 } from 'node:net';
import type { ListenerCounts } from '../../../../edge/l4/listener-tally.ts';
import type { MappedPort, PortMapper } from '../../../../edge/l4/port-mapper.ts';
import type { VipDrift } from '../../../backend.ts';
import type { Family } from '../family.ts';

/** IPv4 and IPv6 in one. The IPv6 half begins with the first port that needs it: many machines have no IPv6. */
export class BothFamilyPorts implements PortMapper {
  readonly kind = 'nftables';
  readonly #four: PortMapper;
  readonly #six: PortMapper;
  #usesSix = false;

  constructor(four: PortMapper, six: PortMapper) {
    this.#four = four;
    this.#six = six;
  }

  cannot(family: Family): Promise<string | undefined> {
    return (family === 4 ? this.#four : this.#six).cannot(family);
  }

  start(): Promise<void> {
    return this.#four.start();
  }

  async apply(ports: readonly MappedPort[]): Promise<void> {
    const [four, six] = [false, true].map((is) => ports.filter(({ address }) => isIPv6(address) === is));
    await this.#four.apply(four ?? []);
    this.#usesSix ||= (six ?? []).length > 0;
    if (this.#usesSix) await this.#six.apply(six ?? []);
  }

  async connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const four = await this.#four.connections(targets);
    return this.#usesSix ? new Map([...four, ...(await this.#six.connections(targets))]) : four;
  }

  async counts(): Promise<readonly ListenerCounts[]> {
    const all = [...(await this.#four.counts()), ...(this.#usesSix ? await this.#six.counts() : [])];
    return [...Map.groupBy(all, ({ listener }) => listener).values()].map((each) => each.reduce(sum));
  }

  ejected(): ReadonlySet<string> {
    return this.#four.ejected().union(this.#six.ejected());
  }

  async audit(): Promise<readonly VipDrift[]> {
    return [...(await this.#four.audit()), ...(this.#usesSix ? await this.#six.audit() : [])];
  }

  async leave(): Promise<void> {
    await this.#four.leave();
    await this.#six.leave();
    this.#usesSix = false;
  }

  async stop(): Promise<void> {
    await this.#four.stop();
    // An earlier process may have used it.
    if (this.#usesSix) await this.#six.stop();
    else await this.#six.stop().catch(() => {});
    this.#usesSix = false;
  }
}

function sum(one: ListenerCounts, other: ListenerCounts): ListenerCounts {
  return {
    listener: one.listener,
    connections: one.connections + other.connections,
    open: one.open + other.open,
    refused: one.refused + other.refused,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
  };
}
