import { randomInt } from 'node:crypto';
import { access } from 'node:fs/promises';
import { errorText } from '../../../../core/kit/errors.ts';
import type { Log } from '../../../../core/kit/log.ts';
import type { VipBalance } from '../../../../core/model/vip-policy.ts';
import {
  canEject,
  type VipAudit,
  type VipBackend,
  type VipChoice,
  type VipCounters,
  type VipDrift,
  type VipEjection,
} from '../../backend.ts';
import { decide } from '../../decide.ts';
import { VipApplyFailed, VipUnavailable } from '../../errors.ts';
import { cgroupRoot } from '../../socket-programs.ts';
import { emptyTable, type VipProblem, type VipService, type VipTable } from '../../table.ts';
import { type HostExec, hostExec } from '../nftables/host.ts';
import { BpfBatch } from './batch.ts';
import { littleNumber, parseDump, place, setupValue } from './codec.ts';
import { mapDifferences } from './drift.ts';
import {
  attach,
  attachments,
  type BpfHome,
  type BpfLoad,
  lastLoad,
  load,
  mapPath,
  removeAll,
  removeLoads,
  sweep,
  wantedAttachments,
} from './programs.ts';
import { changeWrites, type MapName } from './writes.ts';

export type EbpfDependencies = {
  readonly log: Log;
  /** Serves what does not begin in a socket, UDP of connected sockets, refuses the rest. */
  readonly kernel: VipBackend & VipAudit;
  /** Runs a program in the network namespace of the agent; `machine` in the mount namespace of this process. */
  readonly host?: HostExec;
  readonly machine?: HostExec;
};

export type EbpfOptions = {
  /** The compiled programs. */
  readonly object: string;
  /** Control groups of the agent's containers, such as `weir/x`. */
  readonly containers: readonly string[];
};

/** Most services and slots that the maps hold; what is beyond is nftables' alone. */
const most = { services: 65_000, slots: 1_000_000 };

/**
 * VIPs at the socket, over VIPs in nftables: a connection that these programs know begins at its backend, and is neither
 * translated nor tracked. What they do not know costs speed and never reach.
 */
export class EbpfVips implements VipBackend, VipAudit, VipChoice, VipEjection {
  readonly kind = 'ebpf';
  readonly #dependencies: Required<EbpfDependencies>;
  readonly #options: EbpfOptions;
  readonly #batch: BpfBatch;
  #home: BpfHome | undefined;
  /** Attached; with `#table` undefined nobody knows what its tables say, or they are still empty. */
  #load: BpfLoad | undefined;
  #table: VipTable | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(dependencies: EbpfDependencies, options: EbpfOptions) {
    this.#dependencies = { host: hostExec, machine: hostExec, ...dependencies };
    this.#options = options;
    this.#batch = new BpfBatch((map) => mapPath(this.#load!, map));
  }

  /** Tries the whole way, with empty tables: the programs load, are attached, and learn whose host this is. */
  async start(): Promise<void> {
    await this.#dependencies.kernel.start();
    if (this.#home !== undefined) return;
    const home = await this.#homeOf();
    await access(home.object).catch(() => {
      throw new VipUnavailable(this.kind, 'its programs were not compiled', {
        next: 'Install clang-14 and libbpf-dev, then run scripts/setup.',
      });
    });
    await sweep(home);
    this.#load = await this.#attached(home);
    this.#home = home;
  }

  async apply(wanted: VipTable): Promise<readonly VipProblem[]> {
    await this.start();
    return this.#alone(async () => {
      // Each is in force by itself; both are when this resolves.
      const [kernel, sockets] = await Promise.allSettled([
        this.#dependencies.kernel.apply(wanted),
        this.#follow(bounded(wanted)),
      ]);
      if (kernel.status === 'rejected') throw kernel.reason;
      if (sockets.status === 'rejected') throw sockets.reason;
      return kernel.value;
    });
  }

  async connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const translated = await this.#dependencies.kernel.connections(targets);
    if (targets.size === 0 || this.#load === undefined) return translated;
    const counts = new Map(translated);
    const opened = await this.#dump('opened');
    for (const key of targets) {
      const [protocol, address, port] = partsOf(key);
      const own = opened.get(place(protocol, { address, port }));
      const count = own === undefined ? 0 : littleNumber(own);
      if (count > 0) counts.set(key, (counts.get(key) ?? 0) + count);
    }
    return counts;
  }

  async counters(): Promise<ReadonlyMap<string, VipCounters>> {
    const [translated, taken] = await Promise.all([
      this.#dependencies.kernel.counters(),
      this.#load === undefined ? new Map<string, string>() : this.#dump('taken'),
    ]);
    return new Map(
      [...(this.#table ?? emptyTable).services].map(([key, service]) => {
        const own = taken.get(place(service.protocol, service));
        const connections = translated.get(key)?.connections ?? 0;
        return [key, { connections: connections + (own === undefined ? 0 : littleNumber(own)) }];
      }),
    );
  }

  /** As seen on the wire, where a connection that began at the socket passes like any other. */
  ejected(): ReadonlySet<string> {
    const { kernel } = this.#dependencies;
    return canEject(kernel) ? kernel.ejected() : new Set();
  }

  /** Sockets are counted, and datagrams have no end that could be. */
  chosenBy({ protocol, balance }: VipService): VipBalance | undefined {
    return protocol === 'udp' && balance === 'least-connections' ? 'random' : undefined;
  }

  async audit(): Promise<readonly VipDrift[]> {
    const drift = await this.#dependencies.kernel.audit();
    // Not while a change is under way.
    const before = await this.#alone(async () => this.#table);
    if (before === undefined) return drift;
    const found = await this.#drift(before);
    if (found.length === 0) return drift;
    return this.#alone(async () => {
      if (this.#table === undefined) return drift;
      await this.#anew(this.#table);
      return [...drift, ...found.map((what) => ({ what, repaired: true }))];
    });
  }

  async stop(options: { readonly remove?: boolean } = {}): Promise<void> {
    this.#batch.close();
    await this.#dependencies.kernel.stop(options);
    const home = this.#home ?? (options.remove ? await this.#homeOf().catch(() => undefined) : undefined);
    if (home !== undefined && options.remove) await removeAll(home);
    // What was never filled leads nowhere, and the one before may still serve.
    else if (home !== undefined && this.#table === undefined)
      await removeLoads(home, ({ folder }) => folder !== this.#load?.folder);
    this.#home = undefined;
    this.#load = undefined;
    this.#table = undefined;
  }

  /** Takes away what an earlier process left at the socket, for whoever serves without these programs from now on. */
  async removePrograms(): Promise<void> {
    const home = await this.#homeOf().catch(() => undefined);
    if (home !== undefined) await removeAll(home).catch(() => {});
  }

  async #follow(table: VipTable): Promise<void> {
    const before = this.#table;
    if (before === undefined) return this.#fill(table);
    this.#table = undefined;
    try {
      await this.#batch.perform(decide(before, table).flatMap(changeWrites));
      this.#table = table;
    } catch (error) {
      const words = 'vip: the tables at the socket are not as they were left, making them anew';
      this.#dependencies.log.warn(words, { error: errorText(error) });
      await this.#anew(table);
    }
  }

  /** A load beside the one that is there, which goes when the new one is filled. */
  async #anew(table: VipTable): Promise<void> {
    this.#table = undefined;
    this.#batch.close();
    this.#load = await this.#attached(this.#home!);
    await this.#fill(table);
  }

  async #fill(table: VipTable): Promise<void> {
    await this.#batch.perform(decide(emptyTable, table).flatMap(changeWrites));
    await removeLoads(this.#home!, ({ folder }) => folder === this.#load?.folder);
    this.#table = table;
  }

  async #attached(home: BpfHome): Promise<BpfLoad> {
    const fresh = await load(home, (await lastLoad(home)) + 1);
    try {
      await attach(home, fresh);
      await this.#learnHost(fresh);
    } catch (error) {
      await removeLoads(home, ({ folder }) => folder !== fresh.folder);
      throw error;
    }
    return fresh;
  }

  /** A connection from the host to a place that nobody knows tells the programs which network namespace is the host's. */
  async #learnHost(fresh: BpfLoad): Promise<void> {
    const at = {
      address: `240.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`,
      port: randomInt(1, 65_536),
    };
    const element = ['pinned', mapPath(fresh, 'setup'), 'key', 'hex', '00', '00', '00', '00'];
    const write = (value: string) =>
      this.#bpftool(['map', 'update', ...element, 'value', 'hex', ...value.split(' ')]);
    await write(setupValue({ at }));
    await this.#dependencies.host('bash', ['-c', `: > /dev/udp/${at.address}/${at.port}`]);
    const host = Number(/"host":\s*(\d+)/.exec(await this.#bpftool(['map', 'lookup', ...element]))?.[1] ?? 0);
    if (host === 0) throw new VipUnavailable(this.kind, 'its programs do not see connections of this host');
    await write(setupValue({ host }));
  }

  async #drift(before: VipTable): Promise<readonly string[]> {
    const home = this.#home!;
    const attached = (await attachments(home, this.#load!)).length;
    const wanted = wantedAttachments(home);
    const listed = {
      services: await this.#dump('services'),
      slots: await this.#dump('slots'),
      members: await this.#dump('members'),
    };
    const after = await this.#alone(async () => this.#table ?? before);
    return [
      ...(attached === wanted
        ? []
        : [`${wanted - attached} of ${wanted} programs at the socket are not attached`]),
      ...(await mapDifferences({ before, after }, listed)),
    ];
  }

  async #dump(map: MapName): Promise<ReadonlyMap<string, string>> {
    return parseDump(await this.#bpftool(['map', 'dump', 'pinned', mapPath(this.#load!, map)]));
  }

  async #bpftool(args: readonly string[]): Promise<string> {
    const result = await this.#dependencies.machine('bpftool', args);
    if (result.exitCode === 0) return result.stdout;
    throw new VipApplyFailed(this.kind, `${result.stdout} ${result.stderr}`.trim().slice(0, 300));
  }

  async #homeOf(): Promise<BpfHome> {
    const { machine, host } = this.#dependencies;
    const { object, containers } = this.#options;
    const cgroups = await cgroupRoot();
    if (cgroups === undefined)
      throw new VipUnavailable(this.kind, 'version 2 of control groups is not mounted');
    const namespace = /\d+/.exec((await host('readlink', ['/proc/self/ns/net'])).stdout)?.[0];
    return { machine, object, cgroups, containers, name: `ns-${namespace}` };
  }

  #alone<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(run);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** What the maps have room for; the rest is nftables' alone. The identical table where all of it is. */
function bounded(wanted: VipTable): VipTable {
  let [count, slots] = [0, 0];
  for (const { backends } of wanted.services.values()) {
    slots += backends.length;
    if (count >= most.services || slots > most.slots) break;
    count++;
  }
  if (count === wanted.services.size) return wanted;
  return { services: new Map([...wanted.services].slice(0, count)), problems: [] };
}

function partsOf(key: string): readonly ['tcp' | 'udp', string, number] {
  const [, protocol, address, port] = /^(tcp|udp):(.*):(\d+)$/.exec(key) ?? [];
  return [protocol === 'udp' ? 'udp' : 'tcp', address ?? '', Number(port)];
}
