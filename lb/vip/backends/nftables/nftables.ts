import type { Clock } from '../../../../core/kit/clock.ts';
import { errorText } from '../../../../core/kit/errors.ts';
import type { Log } from '../../../../core/kit/log.ts';
import { Loop } from '../../../../core/kit/loop.ts';
import type { VipBalance } from '../../../../core/model/vip-policy.ts';
import type { VipAudit, VipBackend, VipChoice, VipCounters, VipDrift } from '../../backend.ts';
import { decide, type VipChange } from '../../decide.ts';
import { backendsAmong, Ejections, withoutEjected } from '../../ejections.ts';
import { VipApplyFailed, VipUnavailable } from '../../errors.ts';
import { reaches } from '../../reaches.ts';
import {
  emptyTable,
  targetKey,
  type VipProblem,
  type VipService,
  type VipTable,
  type VipTarget,
} from '../../table.ts';
import { tableDrift } from './audit.ts';
import { type Flow, flushUdp, openConnections } from './conntrack.ts';
import { readCounters } from './counters.ts';
import { chainsOf } from './elements.ts';
import { type Family, familyWords } from './family.ts';
import { foreignRules } from './foreign.ts';
import { type HostExec, hostExec } from './host.ts';
import { endLate, expectLate, forgetLate, lateMs } from './late.ts';
import type { Difference } from './listing.ts';
import { freshNotes, type Note, type Notes, oldNotes, parseNotes } from './notes.ts';
import { changeRoutes, removeRoutes, routeDrift, setRoutes, type VipRoutes } from './routes.ts';
import { changesText, type RuleSet, removal, wholeTable } from './rules.ts';
import { Servables } from './servable.ts';
import { type HostSpawn, hostSpawn, NftSession } from './session.ts';
import { TableWatch } from './table-watch.ts';
import { alignTimestamps } from './timestamps.ts';

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

/** How often the rules' notes are read, ms. */
const watchMs = 250;
/** Who has not answered any SYN for so long does not answer, ms. */
const silentMs = 900;

type Wanted = { readonly table: VipTable; readonly literals: ReadonlySet<string> };

/** Chains are few, so they stay until the table is replaced. */
type InForce = Wanted & { readonly chains: ReadonlySet<string> };

/** VIPs of one family in the kernel: a verdict map finds the service, a data map the backend. */
export class NftablesVips implements VipBackend, VipAudit, VipChoice {
  readonly kind = 'nftables';
  readonly #exec: HostExec;
  readonly #log: Log;
  readonly #options: NftablesOptions;
  readonly #ejections = new Ejections();
  readonly #clock: Clock | undefined;
  readonly #reaches: NftablesDependencies['reaches'];
  #watch: Loop | undefined;
  #watchedAt = 0;
  /** As it was wanted then. */
  #watched: VipTable = emptyTable;
  /** Answers that are under way to flows that moved are expected until then. */
  #lateUntil: number | undefined;
  /** What was last asked for, ejected backends included. */
  #wanted: VipTable = emptyTable;
  readonly #own: { readonly family: Family; readonly table: string };
  readonly #servables: Servables;
  readonly #routes: VipRoutes;
  #session: NftSession | undefined;
  readonly #others: TableWatch | undefined;
  #set: RuleSet | undefined;
  /** What our last transaction left in the kernel; undefined: unknown, so the next one replaces the table. */
  #inForce: InForce | undefined;
  /** The last of what changes the kernel, so that a repair never meets a change. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Addresses outside the ranges that were ever ours: connections to them may outlive the service. */
  readonly #literals = new Set<string>();

  constructor(dependencies: NftablesDependencies, options: NftablesOptions) {
    const { log, clock, exec = hostExec, spawn = exec === hostExec ? hostSpawn : undefined } = dependencies;
    this.#exec = exec;
    this.#log = log;
    this.#clock = clock;
    this.#reaches = dependencies.reaches ?? (exec === hostExec ? reaches : undefined);
    this.#options = options;
    const { family = 4, table = 'weir' } = options;
    this.#own = { family, table };
    this.#others = spawn && new TableWatch(spawn, this.#own);
    this.#session = spawn && new NftSession(spawn, (pid) => this.#others?.own(pid));
    this.#servables = new Servables(family, options.ranges);
    this.#routes = { exec, family, device: options.device ?? 'weirvip0', mtu: options.mtu ?? 1450 };
  }

  async start(): Promise<void> {
    if (this.#set !== undefined) return;
    await this.#need(
      'nft',
      ['--check', '-f', '-'],
      `add table ${familyWords(this.#own.family).ip} ${this.#own.table}\n`,
    );
    await this.#need('conntrack', ['--version']);
    await this.#need('ip', ['-V']);
    if (this.#options.alignTimestamps ?? true) await alignTimestamps(this.#exec, this.#log);
    await this.#trySession();
    const bridgeReplies = await this.#bridgeReplies();
    this.#set = { ...this.#own, ranges: this.#options.ranges, bridgeReplies };
  }

  async apply(wanted: VipTable): Promise<readonly VipProblem[]> {
    await this.start();
    const problems = await this.#alone(() => {
      this.#wanted = wanted;
      return this.#apply(this.#tried());
    });
    await this.#startWatch();
    return problems;
  }

  /** What connections may be tried with at the moment. */
  #tried(): VipTable {
    return withoutEjected(this.#wanted, this.ejected());
  }

  /** Backends that are left alone (`targetKey`) because connections to them failed. */
  ejected(): ReadonlySet<string> {
    // Between two looks nobody is given back: who is not asked yet would be found out by clients.
    return this.#clock === undefined ? new Set() : this.#ejections.active(this.#watchedAt);
  }

  /** Rules see packets, not how many connections are open. */
  chosenBy({ balance }: VipService): VipBalance | undefined {
    return balance === 'least-connections' ? 'random' : undefined;
  }

  async #startWatch(): Promise<void> {
    if (this.#watch !== undefined || this.#clock === undefined) return;
    const options = { name: 'vip-watch', clock: this.#clock, log: this.#log, everyMs: watchMs };
    this.#watch = new Loop(() => this.#look(), options);
    await this.#watch.start();
  }

  async #look(): Promise<void> {
    const [now, wanted] = [this.#clock!.now(), this.#wanted];
    const sinceMs = now - this.#watchedAt + watchMs / 5;
    const refused = freshNotes(await this.#notes('refusing'), sinceMs);
    const silent = [
      ...freshNotes(await this.#notes('unreachable'), sinceMs),
      ...oldNotes(await this.#notes('asked'), silentMs),
    ];
    // Whoever was no backend yet was asked by its health checks, before it listened.
    const known = backendsAmong(this.#watched, new Set([...refused, ...silent]));
    const fresh = [
      ...silent.filter((one) => known.has(one) && this.#ejections.failed(one, now, { silent: true })),
      ...refused.filter((one) => known.has(one) && this.#ejections.failed(one, now)),
    ];
    if (this.#reaches !== undefined)
      for (const target of this.#ejections.hold(this.#watchedAt, now)) void this.#askAgain(target);
    const back = this.#ejections.expired(this.#watchedAt, now);
    this.#watchedAt = now;
    this.#watched = wanted;
    for (const target of fresh)
      this.#log.info('vip: a backend takes no connections, leaving it alone', { target });
    if (fresh.length > 0 || back) await this.#alone(() => this.#apply(this.#tried()));
    await this.#endLate(now);
  }

  /** Whoever is no backend any more is not asked. */
  async #askAgain(target: string): Promise<void> {
    const known = backendsAmong(this.#wanted, new Set([target])).get(target);
    if (known !== undefined && !(await this.#reaches?.(known))) {
      this.#ejections.failed(target, this.#clock!.now());
      return;
    }
    this.#ejections.answered(target);
    if (this.#set === undefined) return;
    await this.#alone(() => this.#apply(this.#tried())).catch((error: unknown) =>
      this.#log.warn('vip: a backend that answers again is not taken back yet', { error: errorText(error) }),
    );
  }

  /** What the rules noted; also of connections to nobody that is a backend. */
  async #notes(set: Notes): Promise<readonly Note[]> {
    const { family, table } = this.#own;
    const question = ['list', 'set', familyWords(family).ip, table, set];
    const text = await this.#alone(async () => {
      if (this.#session !== undefined) return (await this.#session.perform(question.join(' '))) ?? '';
      return (await this.#exec('nft', question)).stdout;
    });
    return parseNotes(set, text);
  }

  async audit(): Promise<readonly VipDrift[]> {
    const set = this.#set;
    // Not while a change is under way.
    const before = await this.#alone(async () => this.#inForce);
    if (set === undefined || before === undefined) return [];
    const foreign = await this.#removeForeign(before);
    const routes = await routeDrift(this.#routes, this.#prefixes(before));
    // While others are at our table, changes wait: a listing between them would be of no single moment.
    if (this.#others?.isTouched()) return this.#alone(async () => this.#repaired(set, { routes, foreign }));
    const rules = await this.#ruleDrift(set, before);
    if (routes.length + rules.length === 0) return foreign;
    return this.#alone(async () => {
      // A change came in between: what was listed says nothing about what is now.
      if (this.#inForce !== before) return foreign;
      return [...foreign, ...(await this.#repair(before, { routes, rules }))];
    });
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
    const found = await foreignRules(this.#exec, [...this.#prefixes(before)], this.#own.table);
    const drift: VipDrift[] = [];
    for (const { what, removal } of found)
      drift.push({ what, repaired: (await this.#exec('nft', ['-f', '-'], removal)).exitCode === 0 });
    return drift;
  }

  async #apply(wanted: VipTable): Promise<readonly VipProblem[]> {
    const { table, literals, problems } = this.#servables.of(wanted);
    for (const address of literals) this.#literals.add(address);
    const changes = decide(this.#inForce?.table ?? emptyTable, table);
    const before = this.#inForce;
    // Unknown until all of it is done: a failure on the way makes the next call replace the table.
    this.#inForce = undefined;
    const stepped = before && (await this.#step(before, { table, literals }, changes));
    const next = stepped ?? (await this.#replace({ table, literals }));
    await this.#flush(stepped ? changes : [...changes, ...decide(emptyTable, table)]);
    this.#inForce = next;
    return problems;
  }

  async connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    if (targets.size === 0) return new Map();
    const counts = new Map<string, number>();
    for (const flow of await openConnections(this.#tracked)) {
      const key = targetKey('tcp', flow.by);
      if (targets.has(key) && this.#owns(flow.to.address)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  }

  async counters(): Promise<ReadonlyMap<string, VipCounters>> {
    return readCounters(this.#exec, this.#own, this.#inForce?.table ?? emptyTable);
  }

  async stop(options: { readonly remove?: boolean } = {}): Promise<void> {
    await this.#watch?.stop();
    this.#watch = undefined;
    this.#session?.close();
    this.#others?.close();
    if (options.remove) {
      await this.#nft(removal(this.#own));
      await removeRoutes(this.#routes);
    }
    this.#inForce = undefined;
    this.#set = undefined;
  }

  /** An nft may be built without it, or with a line editor that repeats what it reads; then every change starts a program. */
  async #trySession(): Promise<void> {
    if ((await this.#session?.perform('')) === '') return;
    this.#session?.close();
    this.#session = undefined;
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
      for (const transaction of transactions) await this.#perform(transaction);
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
    const whole = wholeTable(this.#set!, services, [...literals]) + endLate(this.#own);
    const removed = removal(this.#own) + whole;
    await (anew ? this.#nft(removed) : this.#nft(whole).catch(() => this.#nft(removed)));
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
    await flushUdp(this.#tracked, services, (stale) => this.#expectLate(stale));
  }

  async #expectLate(stale: readonly Flow[]): Promise<void> {
    try {
      const expected = expectLate(this.#own, stale);
      await this.#perform(expected).catch(() => this.#perform(forgetLate(this.#own) + expected));
      this.#lateUntil = (this.#clock?.now() ?? 0) + lateMs;
    } catch (error) {
      // A kernel without zones: who asked asks again, as clients of UDP do.
      this.#log.debug('vip: answers under way to flows that move are lost', { error: errorText(error) });
    }
  }

  /** Nobody is expected any more: packets need not be looked at. */
  async #endLate(now: number): Promise<void> {
    if (this.#lateUntil === undefined || now < this.#lateUntil) return;
    this.#lateUntil = undefined;
    await this.#alone(() => this.#perform(endLate(this.#own))).catch(() => {});
  }

  #prefixes({ literals }: Pick<Wanted, 'literals'>): ReadonlySet<string> {
    return new Set([...this.#options.ranges, ...literals]);
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #owns(address: string): boolean {
    return this.#literals.has(address) || this.#servables.contains(address);
  }

  get #tracked() {
    return { exec: this.#exec, family: this.#own.family };
  }

  async #bridgeReplies(): Promise<boolean> {
    const option = this.#options.bridgeReplies ?? 'detect';
    if (option !== 'detect') return option;
    const setting = await this.#exec('cat', [
      `/proc/sys/net/bridge/bridge-nf-call-${this.#own.family === 4 ? 'ip' : 'ip6'}tables`,
    ]);
    return setting.exitCode === 0 && setting.stdout.trim() === '1';
  }

  /** A small change by the program that is there already. */
  async #perform(transaction: string): Promise<void> {
    if (this.#session === undefined || !this.#session.takes(transaction)) return this.#nft(transaction);
    const said = await this.#session.perform(transaction);
    if (said === undefined) throw new VipApplyFailed(this.kind, '"nft -i" ended before it answered');
    if (said !== '') throw new VipApplyFailed(this.kind, said.slice(0, 500));
  }

  async #nft(input: string): Promise<void> {
    const result = await this.#exec('sh', ['-c', 'echo $$; exec nft -f -'], input);
    this.#others?.own(Number.parseInt(result.stdout, 10));
    if (result.exitCode === 0) return;
    throw new VipApplyFailed(
      'nftables',
      result.stderr.trim().slice(0, 500) || `nft ended with ${result.exitCode}`,
    );
  }

  async #need(file: string, args: readonly string[], input?: string): Promise<void> {
    const result = await this.#exec(file, args, input).catch((cause: unknown) => {
      throw new VipUnavailable(this.kind, `"${file}" cannot be run`, { cause, next: `Install "${file}".` });
    });
    if (result.exitCode === 0) return;
    const words = result.stderr.trim().slice(0, 200) || `exit code ${result.exitCode}`;
    throw new VipUnavailable(this.kind, `"${[file, ...args].join(' ')}" says: ${words}`, {
      next: 'Run as root on Linux with nftables, or choose the userspace backend.',
    });
  }
}
