import type { Clock } from '../../../../../core/kit/clock.ts';
import { errorText } from '../../../../../core/kit/errors.ts';
import type { Log } from '../../../../../core/kit/log.ts';
import { Loop } from '../../../../../core/kit/loop.ts';
import type { ListenerCounts } from '../../../../edge/l4/listener-tally.ts';
import type { MappedPort, PortMapper } from '../../../../edge/l4/port-mapper.ts';
import type { VipDrift } from '../../../backend.ts';
import { Ejections, withoutEjected } from '../../../ejections.ts';
import { VipApplyFailed, VipUnavailable } from '../../../errors.ts';
import { serviceKey, targetKey, type VipService } from '../../../table.ts';
import { inKernel, printed } from '../audit.ts';
import { flushUdp, openConnections } from '../conntrack.ts';
import { chainsOf } from '../elements.ts';
import { type Family, familyWords } from '../family.ts';
import { type HostExec, hostExec } from '../host.ts';
import { differences } from '../listing.ts';
import { freshNotes, parseNotes } from '../notes.ts';
import { removal } from '../rules.ts';
import { type HostSpawn, hostSpawn, NftSession } from '../session.ts';
import { machineAddresses } from './addresses.ts';
import { parseSetCounters } from './counters.ts';
import { type PortRules, type PortTable, portChanges, wholePorts } from './rules.ts';

export type NftablesPortsDependencies = {
  readonly log: Log;
  readonly clock: Clock;
  readonly exec?: HostExec;
  /** Must lead where `exec` does; with an `exec` of your own and no `spawn`, every look starts a program. */
  readonly spawn?: HostSpawn;
};

export type NftablesPortsOptions = {
  /** Default 4. */
  readonly family?: Family;
  /** Name of our table; default `weir-edge`. Nothing outside it is touched. */
  readonly table?: string;
};

/** How often the rules' notes of failures are read, ms. */
const watchMs = 250;

type InForce = { readonly table: PortTable; readonly chains: ReadonlySet<string> };

/** Public ports in the kernel: the parts of virtual IPs, on addresses that are the machine's own. */
export class NftablesPorts implements PortMapper {
  readonly kind = 'nftables';
  readonly #exec: HostExec;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #own: { readonly family: Family; readonly table: string };
  readonly #ejections = new Ejections();
  readonly #watch: Loop;
  #session: NftSession | undefined;
  #watchedAt = 0;
  #wanted: readonly MappedPort[] = [];
  #addresses: readonly string[] = [];
  #rules: PortRules | undefined;
  /** Keys of all that was ever mapped: connections may outlive it. */
  readonly #ever = new Set<string>();
  /** Undefined: unknown, so the next change replaces the table. */
  #inForce: InForce | undefined;
  /** Those that the table has: they are few, and stay until it is made anew. */
  #chains: ReadonlySet<string> = new Set();
  /** The last of what changes the kernel. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    dependencies: NftablesPortsDependencies,
    { family = 4, table = 'weir-edge' }: NftablesPortsOptions = {},
  ) {
    const { log, clock, exec = hostExec, spawn = exec === hostExec ? hostSpawn : undefined } = dependencies;
    this.#exec = exec;
    this.#session = spawn && new NftSession(spawn);
    this.#log = log;
    this.#clock = clock;
    this.#own = { family, table };
    this.#watch = new Loop(() => this.#look(), { name: 'edge-ports', clock, log, everyMs: watchMs });
  }

  async start(): Promise<void> {
    if (this.#rules !== undefined) return;
    const { family } = this.#own;
    await this.#need('nft', ['--check', '-f', '-'], `add table ${this.#name}\n`);
    await this.#need('conntrack', ['--version']);
    const forwards = family === 4 ? 'ipv4/ip_forward' : 'ipv6/conf/all/forwarding';
    if ((await this.#setting(forwards)) !== '1')
      throw new VipUnavailable(this.kind, 'this machine does not forward packets', {
        next: `Set net.${forwards.replaceAll('/', '.')} to 1, or let the edge carry every connection itself.`,
      });
    // Not every nft has it; then every look starts a program.
    if ((await this.#session?.perform('')) !== '') {
      this.#session?.close();
      this.#session = undefined;
    }
    const bridged = `bridge/bridge-nf-call-${family === 4 ? 'ip' : 'ip6'}tables`;
    this.#rules = { ...this.#own, bridgeReplies: (await this.#setting(bridged)) === '1' };
  }

  async apply(ports: readonly MappedPort[]): Promise<void> {
    if (ports.length > 0) await this.start();
    await this.#alone(async () => {
      this.#wanted = ports;
      this.#addresses = await machineAddresses(this.#exec, this.#own.family);
      await this.#follow();
    });
    await (ports.length > 0 ? this.#watch.start() : this.#watch.stop());
  }

  ejected(): ReadonlySet<string> {
    return this.#ejections.active(this.#clock.now());
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
    if (rules === undefined || before === undefined) return [];
    const expected = await printed(
      this.#exec,
      this.#name,
      wholePorts(rules, before.table, [...before.chains]),
    );
    const listed = await inKernel(this.#exec, this.#name);
    const drift = listed === undefined ? [] : differences(expected, listed);
    return this.#alone(async () => {
      // A change came in between: what was listed says nothing about what is now.
      if (this.#inForce !== before) return [];
      const strange = drift.some((one) => one.strange);
      if (drift.length > 0) this.#inForce = undefined;
      this.#addresses = await machineAddresses(this.#exec, this.#own.family);
      await this.#follow({ anew: strange });
      return drift.map(({ what }) => ({ what, repaired: true }));
    });
  }

  async stop(): Promise<void> {
    await this.#watch.stop();
    this.#session?.close();
    await this.#alone(async () => {
      this.#wanted = [];
      this.#inForce = undefined;
      this.#chains = new Set();
      await this.#nft(removal(this.#own));
    });
    this.#rules = undefined;
  }

  async #look(): Promise<void> {
    const now = this.#clock.now();
    const refused = await this.#noted('refusing');
    const silent = await this.#noted('silent');
    const fresh = [
      ...silent.filter((one) => this.#ejections.failed(one, now, { silent: true })),
      ...refused.filter((one) => this.#ejections.failed(one, now)),
    ];
    const back = this.#ejections.expired(this.#watchedAt, now);
    this.#watchedAt = now;
    for (const target of fresh)
      this.#log.info('edge: an endpoint takes no connections, leaving it alone', { target });
    if (fresh.length > 0 || back) await this.#alone(() => this.#follow());
  }

  /** What the rules noted since the last look. */
  async #noted(set: 'refusing' | 'silent'): Promise<readonly string[]> {
    const question = ['list', 'set', ...this.#name.split(' '), set];
    const text = await this.#alone(async () => {
      if (this.#session === undefined) return (await this.#exec('nft', question)).stdout;
      return (await this.#session.perform(question.join(' '))) ?? '';
    });
    return freshNotes(parseNotes('refusing', text), this.#clock.now() - this.#watchedAt + watchMs / 5);
  }

  /** Makes the kernel's table what is wanted now. `anew`: it is not built as ours is. */
  async #follow({ anew } = { anew: false }): Promise<void> {
    const before = this.#inForce;
    const table = tableOf(this.#wanted, this.#addresses, this.ejected());
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
      await this.#nft(removal(this.#own));
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
    if (changes !== '') await this.#nft(changes);
    this.#chains = before.chains.union(new Set(gained));
  }

  async #repair(table: PortTable, error: unknown): Promise<void> {
    this.#log.warn('edge: the kernel table is not as it was left, replacing it', { error: errorText(error) });
    await this.#replace(table, this.#chains, false);
    this.#chains = this.#chains.union(new Set(chainsOf(table.services.values())));
  }

  async #replace(table: PortTable, chains: ReadonlySet<string>, anew: boolean): Promise<void> {
    const whole = wholePorts(this.#rules!, table, [...chains]);
    const removed = removal(this.#own) + whole;
    await (anew ? this.#nft(removed) : this.#nft(whole).catch(() => this.#nft(removed)));
  }

  /** After the rules: a flow forgotten before them would be remade by the next datagram. */
  async #flush(before: PortTable | undefined, after: PortTable): Promise<void> {
    const udp = (table: PortTable | undefined) =>
      [...(table?.services.values() ?? [])].filter(({ protocol }) => protocol === 'udp');
    const changed = udp(after).filter((service) => before?.services.get(serviceKey(service)) !== service);
    const gone = udp(before).filter((service) => !after.services.has(serviceKey(service)));
    await flushUdp(this.#tracked, [...changed, ...gone.map((service) => ({ ...service, backends: [] }))]);
  }

  async #counters(set: string) {
    const { stdout } = await this.#exec('nft', ['-n', 'list', 'set', ...this.#name.split(' '), set]);
    return parseSetCounters(stdout);
  }

  #isOurs(to: { readonly address: string; readonly port: number }): boolean {
    return this.#ever.has(serviceKey({ protocol: 'tcp', ...to }));
  }

  get #name(): string {
    return `${familyWords(this.#own.family).ip} ${this.#own.table}`;
  }

  get #tracked() {
    return { exec: this.#exec, family: this.#own.family };
  }

  async #setting(path: string): Promise<string> {
    const { exitCode, stdout } = await this.#exec('cat', [`/proc/sys/net/${path}`]);
    return exitCode === 0 ? stdout.trim() : '';
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #nft(input: string): Promise<void> {
    const { exitCode, stderr } = await this.#exec('nft', ['-f', '-'], input);
    if (exitCode !== 0)
      throw new VipApplyFailed(this.kind, stderr.trim().slice(0, 500) || `nft: ${exitCode}`);
  }

  async #need(file: string, args: readonly string[], input?: string): Promise<void> {
    const result = await this.#exec(file, args, input).catch((cause: unknown) => {
      throw new VipUnavailable(this.kind, `"${file}" cannot be run`, { cause, next: `Install "${file}".` });
    });
    if (result.exitCode === 0) return;
    const words = result.stderr.trim().slice(0, 200) || `exit code ${result.exitCode}`;
    throw new VipUnavailable(this.kind, `"${[file, ...args].join(' ')}" says: ${words}`);
  }
}

/** The ports on each address of the machine. Backends that are left alone are not in it, unless all of a port's are. */
function tableOf(
  wanted: readonly MappedPort[],
  addresses: readonly string[],
  ejected: ReadonlySet<string>,
): PortTable {
  const all = new Map(
    wanted.flatMap((port) => placesOf(port, addresses).map((one) => [serviceKey(one), one] as const)),
  );
  const { services } = withoutEjected({ services: all, problems: [] }, ejected);
  const far = wanted.flatMap(({ backends }) =>
    backends.filter((one) => one.far).map(({ address }) => address),
  );
  return { services, far: new Set(far) };
}

function placesOf(
  { listener: _, backends, ...port }: MappedPort,
  addresses: readonly string[],
): readonly VipService[] {
  const targets = backends.map(({ far: _, ...target }) => target);
  const at = port.address === '0.0.0.0' ? addresses : [port.address];
  return at.map((address) => ({ ...port, address, backends: targets }));
}
