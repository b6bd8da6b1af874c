import type { Clock } from '../../../../../core/kit/clock.ts';
import { errorText } from '../../../../../core/kit/errors.ts';
import type { Log } from '../../../../../core/kit/log.ts';
import type { ListenerCounts } from '../../../../edge/l4/listener-tally.ts';
import type { MappedPort, PortMapper } from '../../../../edge/l4/port-mapper.ts';
import type { VipDrift } from '../../../backend.ts';
import { VipUnavailable } from '../../../errors.ts';
import { reaches } from '../../../reaches.ts';
import { serviceKey, targetKey } from '../../../table.ts';
import { inKernel, printed } from '../audit.ts';
import { flushUdp, openConnections } from '../conntrack.ts';
import { chainsOf } from '../elements.ts';
import type { Family } from '../family.ts';
import { type HostExec, hostExec } from '../host.ts';
import { endLate } from '../late.ts';
import { LateAnswers } from '../late-answers.ts';
import { differences } from '../listing.ts';
import { Nft } from '../nft.ts';
import { removal } from '../rules.ts';
import { type HostSpawn, hostSpawn } from '../session.ts';
import { Watch, type WatchParts } from '../watch.ts';
import { machineAddresses } from './addresses.ts';
import { parseSetCounters } from './counters.ts';
import { accessOf, farOf, placed, placesOf } from './placed.ts';
import { type PortRules, type PortTable, portChanges, wholePorts } from './rules.ts';

export type NftablesPortsDependencies = {
  readonly log: Log;
  readonly clock: Clock;
  readonly exec?: HostExec;
  /** Must lead where `exec` does; with an `exec` of your own and no `spawn`, every change starts a program. */
  readonly spawn?: HostSpawn;
  /** Whether an endpoint takes connections again. Default: a connection of this process, as for virtual IPs. */
  readonly reaches?: WatchParts['reaches'];
};

export type NftablesPortsOptions = {
  /** Default 4. */
  readonly family?: Family;
  /** Name of our table; default `weir-edge`. Nothing outside it is touched. */
  readonly table?: string;
};

const next = 'Let processes of the edge carry every connection.';

type InForce = { readonly table: PortTable; readonly chains: ReadonlySet<string> };

/** Public ports in the kernel: the parts of virtual IPs, on addresses that are the machine's own. */
export class NftablesPorts implements PortMapper {
  readonly kind = 'nftables';
  readonly #exec: HostExec;
  readonly #log: Log;
  readonly #nft: Nft;
  readonly #watch: Watch;
  readonly #late: LateAnswers;
  #wanted: readonly MappedPort[] = [];
  #addresses: readonly string[] = [];
  #rules: PortRules | undefined;
  /** Keys of all that was ever mapped: connections may outlive it. */
  readonly #ever = new Set<string>();
  /** Undefined: unknown, so the next change replaces the table. */
  #inForce: InForce | undefined;
  /** Those that the table has: they are few, and stay until it is made anew. */
  #chains: ReadonlySet<string> = new Set();

  constructor(
    dependencies: NftablesPortsDependencies,
    { family = 4, table = 'weir-edge' }: NftablesPortsOptions = {},
  ) {
    const { log, clock, exec = hostExec, spawn = exec === hostExec ? hostSpawn : undefined } = dependencies;
    this.#exec = exec;
    this.#log = log;
    this.#nft = new Nft({ exec, spawn }, { family, table, next });
    this.#late = new LateAnswers({ nft: this.#nft, clock, log });
    this.#watch = new Watch({
      ...{ clock, log, about: 'edge' },
      reaches: dependencies.reaches ?? (exec === hostExec ? reaches : undefined),
      read: (notes) => this.#nft.list(notes),
      follow: () => this.#nft.alone(async () => this.#wanted.length > 0 && this.#follow()),
      looked: (now) => this.#late.end(now),
    });
  }

  async cannot(family: Family): Promise<string | undefined> {
    if (family !== this.#nft.own.family) return `only IPv${this.#nft.own.family} is mapped`;
    return this.start().then(
      () => undefined,
      (error: unknown) => errorText(error),
    );
  }

  async start(): Promise<void> {
    if (this.#rules !== undefined) return;
    await this.#nft.begin();
    const { family, table } = this.#nft.own;
    const forwards = family === 4 ? 'ipv4/ip_forward' : 'ipv6/conf/all/forwarding';
    if ((await this.#nft.setting(forwards)) !== '1')
      throw new VipUnavailable(this.kind, 'this machine does not forward packets', {
        next: `Set net.${forwards.replaceAll('/', '.')} to 1, or let the edge carry every connection itself.`,
      });
    const bridged = `bridge/bridge-nf-call-${family === 4 ? 'ip' : 'ip6'}tables`;
    this.#rules = { family, table, bridgeReplies: (await this.#nft.setting(bridged)) === '1' };
  }

  async apply(ports: readonly MappedPort[]): Promise<void> {
    if (ports.length > 0) await this.start();
    await this.#nft.alone(async () => {
      this.#wanted = ports;
      await this.#place();
      await this.#follow();
    });
    // It goes on without any: answers to them may be expected late.
    if (ports.length > 0) await this.#watch.start();
  }

  ejected(): ReadonlySet<string> {
    return this.#watch.ejected();
  }

  async connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    if (targets.size === 0) return counts;
    for (const { to, by } of await openConnections(this.#tracked)) {
      const key = targetKey('tcp', by);
      if (targets.has(key) && this.#isOurs(to)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  async counts(): Promise<readonly ListenerCounts[]> {
    if (this.#wanted.length === 0) return [];
    const [counted, refused, bytesIn, bytesOut] = await Promise.all(
      ['counted', 'empty', 'in', 'out'].map((set) => this.#counters(set)),
    );
    const open = Map.groupBy(await openConnections(this.#tracked), ({ to }) =>
      serviceKey({ protocol: 'tcp', ...to }),
    );
    return this.#wanted.map((port) => {
      const keys = placesOf(port, this.#addresses).map(serviceKey);
      const sum = (of: (key: string) => number | undefined) =>
        keys.reduce((all, key) => all + (of(key) ?? 0), 0);
      return {
        listener: port.listener,
        connections: sum((key) => counted?.get(key)?.packets),
        open: sum((key) => open.get(key)?.length),
        refused: sum((key) => refused?.get(key)?.packets),
        bytesIn: sum((key) => bytesIn?.get(key)?.bytes),
        bytesOut: sum((key) => bytesOut?.get(key)?.bytes),
      };
    });
  }

  async audit(): Promise<readonly VipDrift[]> {
    const [rules, before] = [this.#rules, this.#inForce];
    if (rules === undefined) return [];
    if (before === undefined) return this.#nft.alone(() => this.#unknown());
    const expected = await printed(
      this.#exec,
      this.#nft.name,
      wholePorts(rules, before.table, [...before.chains]),
    );
    const listed = await inKernel(this.#exec, this.#nft.name);
    const drift = listed === undefined ? [] : differences(expected, listed);
    return this.#nft.alone(async () => {
      // A change came in between: what was listed says nothing about what is now.
      if (this.#inForce !== before) return [];
      const strange = drift.some((one) => one.strange);
      if (drift.length > 0) this.#inForce = undefined;
      await this.#place();
      await this.#follow({ anew: strange });
      return drift.map(({ what }) => ({ what, repaired: true }));
    });
  }

  /** A change or a repair failed, and what it left is not known. */
  async #unknown(): Promise<readonly VipDrift[]> {
    if (this.#wanted.length === 0 || this.#inForce !== undefined) return [];
    await this.#follow();
    return [{ what: 'a change had failed', repaired: true }];
  }

  async leave(): Promise<void> {
    await this.#watch.stop();
    await this.#nft.alone(async () => {
      this.#wanted = [];
      this.#inForce = undefined;
    });
    this.#nft.close();
    this.#rules = undefined;
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
    this.#nft.close();
    await this.#nft.alone(async () => {
      this.#wanted = [];
      this.#watch.want(placed([], []));
      this.#inForce = undefined;
      this.#chains = new Set();
      await this.#nft.load(removal(this.#nft.own));
    });
    this.#rules = undefined;
  }

  /** The machine's addresses may be others by now. */
  async #place(): Promise<void> {
    this.#addresses = await machineAddresses(this.#exec, this.#nft.own.family);
    this.#watch.want(placed(this.#wanted, this.#addresses));
  }

  /** Makes the kernel's table what is wanted now. `anew`: it is not built as ours is. */
  async #follow({ anew } = { anew: false }): Promise<void> {
    const before = this.#inForce;
    const table = {
      services: this.#watch.tried.services,
      access: accessOf(this.#wanted, this.#addresses),
      far: farOf(this.#wanted),
    };
    for (const key of table.services.keys()) this.#ever.add(key);
    this.#inForce = undefined;
    this.#inForce = await this.#put(before, table, anew);
    await this.#flush(before?.table, table);
  }

  /**
   * Without ports that were mapped here the table goes. Otherwise it stays, empty: the kernel translates open connections only as long
   * as some table does.
   */
  async #put(before: InForce | undefined, table: PortTable, anew: boolean): Promise<InForce | undefined> {
    const needed = new Set(chainsOf(table.services.values()));
    if (before === undefined && this.#wanted.length === 0) {
      await this.#nft.load(removal(this.#nft.own));
      return undefined;
    }
    if (before === undefined) {
      await this.#replace(table, anew ? new Set() : this.#chains, anew);
      this.#chains = anew ? needed : this.#chains.union(needed);
    } else await this.#step(before, table).catch((error: unknown) => this.#repair(table, error));
    return { table, chains: this.#chains };
  }

  async #step(before: InForce, table: PortTable): Promise<void> {
    const gained = chainsOf(table.services.values()).filter((chain) => !before.chains.has(chain));
    const changes = portChanges(this.#rules!, [before.table, table], gained);
    if (changes !== '') await this.#nft.perform(changes);
    this.#chains = before.chains.union(new Set(gained));
  }

  async #repair(table: PortTable, error: unknown): Promise<void> {
    this.#log.warn('edge: the kernel table is not as it was left, replacing it', { error: errorText(error) });
    await this.#replace(table, this.#chains, false);
    this.#chains = this.#chains.union(new Set(chainsOf(table.services.values())));
  }

  async #replace(table: PortTable, chains: ReadonlySet<string>, anew: boolean): Promise<void> {
    // What an earlier process expected late, it has had.
    const whole = wholePorts(this.#rules!, table, [...chains]) + endLate(this.#nft.own);
    const removed = removal(this.#nft.own) + whole;
    await (anew ? this.#nft.load(removed) : this.#nft.load(whole).catch(() => this.#nft.load(removed)));
  }

  /** After the rules: a flow forgotten before them would be remade by the next datagram. */
  async #flush(before: PortTable | undefined, after: PortTable): Promise<void> {
    const udp = (table: PortTable | undefined) =>
      [...(table?.services.values() ?? [])].filter(({ protocol }) => protocol === 'udp');
    const changed = udp(after).filter((service) => before?.services.get(serviceKey(service)) !== service);
    const gone = udp(before).filter((service) => !after.services.has(serviceKey(service)));
    const services = [...changed, ...gone.map((service) => ({ ...service, backends: [] }))];
    await flushUdp(this.#tracked, services, (stale) => this.#late.expect(stale));
  }

  async #counters(set: string) {
    const { stdout } = await this.#exec('nft', ['-n', 'list', 'set', ...this.#nft.name.split(' '), set]);
    return parseSetCounters(stdout);
  }

  #isOurs(to: { readonly address: string; readonly port: number }): boolean {
    return this.#ever.has(serviceKey({ protocol: 'tcp', ...to }));
  }

  get #tracked() {
    return { exec: this.#exec, family: this.#nft.own.family };
  }
}
