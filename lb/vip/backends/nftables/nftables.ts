import type { Clock } from '../../../../core/kit/clock.ts';
import { errorText } from '../../../../core/kit/errors.ts';
import type { Log } from '../../../../core/kit/log.ts';
import type { VipBalance } from '../../../../core/model/vip-policy.ts';
import type { VipAudit, VipBackend, VipChoice, VipCounters, VipDrift } from '../../backend.ts';
import { decide, type VipChange } from '../../decide.ts';
import { reaches } from '../../reaches.ts';
import {
  emptyTable,
  targetKey,
  type VipProblem,
  type VipService,
  type VipTable,
  type VipTarget,
} from '../../table.ts';
import { inRules } from './affinity.ts';
import { tableDrift } from './audit.ts';
import { flushUdp, openConnections } from './conntrack.ts';
import { readCounters } from './counters.ts';
import { chainsOf } from './elements.ts';
import type { Family } from './family.ts';
import { foreignRules } from './foreign.ts';
import { type HostExec, hostExec } from './host.ts';
import { endLate } from './late.ts';
import { LateAnswers } from './late-answers.ts';
import type { Difference } from './listing.ts';
import { Nft } from './nft.ts';
import { changeRoutes, removeRoutes, routeDrift, setRoutes, type VipRoutes } from './routes.ts';
import { changesText, type RuleSet, removal, wholeTable } from './rules.ts';
import { Servables } from './servable.ts';
import { type HostSpawn, hostSpawn } from './session.ts';
import { forgetLost } from './stays.ts';
import { TableWatch } from './table-watch.ts';
import { alignTimestamps } from './timestamps.ts';
import { Watch } from './watch.ts';

export type NftablesDependencies = {
  readonly log: Log;
  /** With a clock, backends that do not take connections are left alone for a while. */
  readonly clock?: Clock;
  readonly exec?: HostExec;
  /** Must lead where `exec` does; with an `exec` of your own and no `spawn`, every change starts a program. */
  readonly spawn?: HostSpawn;
  /**
   * Whether a backend takes connections again: who was left alone is asked before clients are. Default: a connection of this
   * process; with an `exec` of your own there is none, and clients find out.
   */
  readonly reaches?: (target: Omit<VipTarget, 'instanceId'>) => Promise<boolean>;
};

export type NftablesOptions = {
  /** Default 4; ranges are of this family. */
  readonly family?: Family;
  /** Ranges whose every address is a VIP or refused, such as `100.64.0.0/16`. */
  readonly ranges: readonly string[];
  /** Name of our table; default `weir`. Nothing outside it is touched. */
  readonly table?: string;
  /** Bytes a process of this host may send to a VIP in one packet; default 1450, right for VXLAN over Ethernet. */
  readonly mtu?: number;
  /** Device that VIPs are routed to, ours alone, at most 15 characters; default `weirvip0`. */
  readonly device?: string;
  /**
   * Do replies between two ports of one bridge pass this host's netfilter? `detect`: when `bridge-nf-call-iptables` is
   * on. Say true for bridges with isolated ports. True keeps the client address there, false masquerades it.
   */
  readonly bridgeReplies?: boolean | 'detect';
  /** Set `net.ipv4.tcp_timestamps` of this host to 2 where it is 1 (why: `timestamps.ts`); default true. */
  readonly alignTimestamps?: boolean;
};

type Wanted = { readonly table: VipTable; readonly literals: ReadonlySet<string> };

/** Chains are few, so they stay until the table is replaced. */
type InForce = Wanted & { readonly chains: ReadonlySet<string> };

type Watched = Pick<NftablesDependencies, 'log' | 'reaches'> & {
  readonly clock: Clock;
  readonly exec: HostExec;
};

const next = 'Run as root on Linux with nftables, or choose the userspace backend.';

/** VIPs of one family in the kernel: a verdict map finds the service, a data map the backend. */
export class NftablesVips implements VipBackend, VipAudit, VipChoice {
  readonly kind = 'nftables';
  readonly #exec: HostExec;
  readonly #log: Log;
  readonly #options: NftablesOptions;
  readonly #watch: Watch | undefined;
  readonly #late: LateAnswers;
  /** What was last asked for, ejected backends included. */
  #wanted: VipTable = emptyTable;
  readonly #nft: Nft;
  readonly #servables: Servables;
  readonly #routes: VipRoutes;
  readonly #others: TableWatch | undefined;
  #set: RuleSet | undefined;
  /** What our last transaction left in the kernel; undefined: unknown, so the next one replaces the table. */
  #inForce: InForce | undefined;
  /** Addresses outside the ranges that were ever ours: connections to them may outlive the service. */
  readonly #literals = new Set<string>();

  constructor(dependencies: NftablesDependencies, options: NftablesOptions) {
    const { log, clock, exec = hostExec, spawn = exec === hostExec ? hostSpawn : undefined } = dependencies;
    const { family = 4, table = 'weir', ranges, device = 'weirvip0', mtu = 1450 } = options;
    this.#exec = exec;
    this.#log = log;
    this.#options = options;
    this.#others = spawn && new TableWatch(spawn, { family, table });
    this.#nft = new Nft({ exec, spawn, began: (pid) => this.#others?.own(pid) }, { family, table, next });
    this.#late = new LateAnswers({ nft: this.#nft, clock, log });
    this.#servables = new Servables(family, ranges);
    this.#routes = { exec, family, device, mtu };
    this.#watch = clock && this.#watchOf({ ...dependencies, clock, exec });
  }

  async start(): Promise<void> {
    if (this.#set !== undefined) return;
    await this.#nft.begin();
    await this.#nft.need('ip', ['-V']);
    if (this.#options.alignTimestamps ?? true) await alignTimestamps(this.#exec, this.#log);
    const bridgeReplies = await this.#bridgeReplies();
    this.#set = { ...this.#nft.own, ranges: this.#options.ranges, bridgeReplies };
  }

  async apply(wanted: VipTable): Promise<readonly VipProblem[]> {
    await this.start();
    const problems = await this.#nft.alone(() => {
      this.#wanted = wanted;
      this.#watch?.want(wanted);
      return this.#follow();
    });
    await this.#watch?.start();
    return problems;
  }

  /** Backends that are left alone (`targetKey`) because connections to them failed. */
  ejected(): ReadonlySet<string> {
    return this.#watch?.ejected() ?? new Set();
  }

  /** Rules see packets, not how many connections are open. */
  chosenBy(service: VipService): VipBalance | undefined {
    const { balance = 'random' } = inRules(service);
    if (balance === 'least-connections') return 'random';
    return balance === (service.balance ?? 'random') ? undefined : balance;
  }

  #watchOf({ clock, log, exec, reaches: asks }: Watched): Watch {
    return new Watch({
      ...{ clock, log, about: 'vip' },
      reaches: asks ?? (exec === hostExec ? reaches : undefined),
      read: (notes) => this.#nft.list(notes),
      follow: () => this.#nft.alone(async () => this.#set && this.#follow()),
      looked: (now) => this.#late.end(now),
    });
  }

  async audit(): Promise<readonly VipDrift[]> {
    const set = this.#set;
    // Not while a change is under way.
    const before = await this.#nft.alone(async () => this.#inForce);
    if (set === undefined) return [];
    if (before === undefined) return this.#nft.alone(() => this.#unknown());
    const foreign = await this.#removeForeign(before);
    const routes = await routeDrift(this.#routes, this.#prefixes(before));
    // While others are at our table, changes wait: a listing between them would be of no single moment.
    if (this.#others?.isTouched())
      return this.#nft.alone(async () => this.#repaired(set, { routes, foreign }));
    const rules = await this.#ruleDrift(set, before);
    if (routes.length + rules.length === 0) return foreign;
    return this.#nft.alone(async () => {
      // A change came in between: what was listed says nothing about what is now.
      if (this.#inForce !== before) return foreign;
      return [...foreign, ...(await this.#repair(before, { routes, rules }))];
    });
  }

  /** A change or a repair failed, and what it left is not known. */
  async #unknown(): Promise<readonly VipDrift[]> {
    if (this.#wanted === emptyTable || this.#inForce !== undefined) return [];
    await this.#follow();
    return [{ what: 'a change had failed', repaired: true }];
  }

  /** How the table differs from what we left there. Many services under constant change cannot be listed: then nothing is said. */
  async #ruleDrift(set: RuleSet, { table, literals, chains }: InForce): Promise<readonly Difference[]> {
    if (this.#others?.isRight()) return [];
    const mark = this.#others?.mark();
    const audited = { services: [...table.services.values()], literals: [...literals], chains };
    const rules = await tableDrift(this.#exec, set, audited);
    if (rules?.length === 0 && mark !== undefined) this.#others?.verified(mark);
    return rules ?? [];
  }

  async #repaired(
    set: RuleSet,
    { routes, foreign }: { readonly routes: readonly string[]; readonly foreign: readonly VipDrift[] },
  ): Promise<readonly VipDrift[]> {
    const before = this.#inForce;
    if (before === undefined) return foreign;
    const rules = await this.#ruleDrift(set, before);
    if (routes.length + rules.length === 0) return foreign;
    return [...foreign, ...(await this.#repair(before, { routes, rules }))];
  }

  async #repair(
    before: InForce,
    { routes, rules }: { readonly routes: readonly string[]; readonly rules: readonly Difference[] },
  ): Promise<readonly VipDrift[]> {
    this.#inForce = undefined;
    const strange = rules.some((difference) => difference.strange);
    this.#inForce = await this.#replace(before, { anew: strange });
    return [...routes, ...rules.map(({ what }) => what)].map((what) => ({ what, repaired: true }));
  }

  /** Rules of others that take packets to VIPs, and to nothing else, away. */
  async #removeForeign(before: InForce): Promise<readonly VipDrift[]> {
    const found = await foreignRules(this.#exec, [...this.#prefixes(before)], this.#nft.own.table);
    const drift: VipDrift[] = [];
    for (const { what, removal } of found)
      drift.push({ what, repaired: (await this.#exec('nft', ['-f', '-'], removal)).exitCode === 0 });
    return drift;
  }

  /** Puts in force what is wanted, without those that are left alone. */
  async #follow(): Promise<readonly VipProblem[]> {
    const { table, literals, problems } = this.#servables.of(this.#watch?.tried ?? this.#wanted);
    for (const address of literals) this.#literals.add(address);
    const changes = decide(this.#inForce?.table ?? emptyTable, table);
    const before = this.#inForce;
    // Unknown until all of it is done: a failure on the way makes the next call replace the table.
    this.#inForce = undefined;
    const stepped = before && (await this.#step(before, { table, literals }, changes));
    const next = stepped ?? (await this.#replace({ table, literals }));
    await this.#flush(stepped ? changes : [...changes, ...decide(emptyTable, table)]);
    await forgetLost({ nft: this.#nft, exec: this.#exec }, table.services.values(), stepped && changes);
    this.#inForce = next;
    return problems;
  }

  async connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    if (targets.size === 0) return new Map();
    const counts = new Map<string, number>();
    for (const { to, by } of await openConnections(this.#tracked)) {
      const key = targetKey('tcp', by);
      if (targets.has(key) && this.#owns(to.address)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  async counters(): Promise<ReadonlyMap<string, VipCounters>> {
    return readCounters(this.#exec, this.#nft.own, this.#inForce?.table ?? emptyTable);
  }

  async stop(options: { readonly remove?: boolean } = {}): Promise<void> {
    await this.#watch?.stop();
    this.#nft.close();
    this.#others?.close();
    if (options.remove) {
      await this.#nft.load(removal(this.#nft.own));
      await removeRoutes(this.#routes);
    }
    this.#inForce = undefined;
    this.#set = undefined;
  }

  /** Undefined: the kernel does not have what we left there (someone else changed it). */
  async #step(before: InForce, next: Wanted, changes: readonly VipChange[]): Promise<InForce | undefined> {
    const gained = [...next.literals].filter((address) => !before.literals.has(address));
    const lost = [...before.literals].filter((address) => !next.literals.has(address));
    const needed = chainsOf(changes.map(({ service }) => service));
    const chainsGained = needed.filter((chain) => !before.chains.has(chain));
    const transactions = changesText(this.#set!, changes, { chainsGained, literals: { gained, lost } });
    try {
      await changeRoutes(this.#routes, { gained, lost: [] });
      for (const transaction of transactions) await this.#nft.perform(transaction);
      await changeRoutes(this.#routes, { gained: [], lost });
      return { ...next, chains: before.chains.union(new Set(chainsGained)) };
    } catch (error) {
      this.#log.warn('vip: the kernel table is not as it was left, replacing it', {
        error: errorText(error),
      });
      return undefined;
    }
  }

  /** Rules first: an address is routed only when what is not served there is refused. */
  async #replace({ table, literals }: Wanted, { anew } = { anew: false }): Promise<InForce> {
    const services = [...table.services.values()];
    // What an earlier process expected late, it has had.
    const whole = wholeTable(this.#set!, services, [...literals]) + endLate(this.#nft.own);
    const removed = removal(this.#nft.own) + whole;
    await (anew ? this.#nft.load(removed) : this.#nft.load(whole).catch(() => this.#nft.load(removed)));
    await setRoutes(this.#routes, this.#prefixes({ literals }));
    return { table, literals, chains: new Set(chainsOf(services)) };
  }

  /** After the rules: a flow forgotten before them would be remade by the next datagram. */
  async #flush(changes: readonly VipChange[]): Promise<void> {
    const udp = changes.filter(({ service }) => service.protocol === 'udp');
    if (udp.length === 0) return;
    const services = udp.map(({ type, service }) =>
      type === 'remove' ? { ...service, backends: [] } : service,
    );
    await flushUdp(this.#tracked, services, (stale) => this.#late.expect(stale));
  }

  #prefixes({ literals }: Pick<Wanted, 'literals'>): ReadonlySet<string> {
    return new Set([...this.#options.ranges, ...literals]);
  }

  #owns(address: string): boolean {
    return this.#literals.has(address) || this.#servables.contains(address);
  }

  get #tracked() {
    return { exec: this.#exec, family: this.#nft.own.family };
  }

  async #bridgeReplies(): Promise<boolean> {
    const option = this.#options.bridgeReplies ?? 'detect';
    if (option !== 'detect') return option;
    const bridged = `bridge/bridge-nf-call-${this.#nft.own.family === 4 ? 'ip' : 'ip6'}tables`;
    return (await this.#nft.setting(bridged)) === '1';
  }
}
