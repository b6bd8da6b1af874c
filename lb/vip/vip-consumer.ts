import type { Clock } from '../../core/kit/clock.ts';
import { errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Metrics } from '../../core/kit/metrics.ts';
import type { Part } from '../../core/kit/part.ts';
import type { DirectoryConsumer } from '../../core/model/consumer.ts';
import { type Directory, type Endpoint, emptyDirectory } from '../../core/model/directory.ts';
import type { InstanceId } from '../../core/model/ids.ts';
import { addressesOf } from '../../core/model/vip-backends.ts';
import type { VipBalance } from '../../core/model/vip-policy.ts';
import { VipAuditor, type VipAuditStatus } from './auditor.ts';
import {
  canAudit,
  canChoose,
  canEject,
  canRetry,
  type VipAudit,
  type VipBackend,
  type VipDrift,
} from './backend.ts';
import { decide } from './decide.ts';
import { Departed } from './departed.ts';
import { DepartedMemory, type Memory } from './departed-memory.ts';
import { LateDatagrams } from './late-datagrams.ts';
import {
  type Derived,
  emptyTable,
  serviceKey,
  targetKey,
  type VipProblem,
  type VipService,
  type VipTable,
  vipTable,
} from './table.ts';

export type VipServiceStatus = VipService & {
  readonly key: string;
  readonly names: readonly string[];
  /** Absent when it is served. */
  readonly problem?: string;
  /** How it is chosen from, where the data plane cannot choose as `balance` says. */
  readonly chosenBy?: VipBalance;
};

export type VipStatus = {
  readonly backend: string;
  /** Of the Directory, in force in the data plane. */
  readonly revision: number;
  readonly services: readonly VipServiceStatus[];
  /** Of services and of addresses that are in no service. */
  readonly problems: readonly VipProblem[];
  /** Absent when the backend's data plane is this process's alone, or nobody gave the consumer a clock. */
  readonly audit?: VipAuditStatus;
};

export type VipConsumerDependencies = {
  readonly backend: VipBackend;
  readonly log: Log;
  /** What else is audited with the data plane. */
  readonly audits?: readonly VipAudit[];
  /** With a clock, what others can change is audited every ten seconds, and datagrams to who left are given a second. */
  readonly clock?: Clock;
  readonly metrics?: Metrics;
  /** Where departed instances are remembered over a restart, so that drains still wait for their connections. */
  readonly memory?: Memory;
};

/** What a person asks a node about some of its VIPs; crosses the wire, so later versions only add to it. */
export type VipNodeStatus = {
  readonly backend: string;
  readonly revision: number;
  readonly drift?: readonly VipDrift[];
  /** How long ago the last audit ended, and how long it took, ms; absent before the first. */
  readonly audited?: { readonly agoMs: number; readonly tookMs: number };
  readonly services: readonly (VipServiceStatus & {
    /** Taken since the service was first applied. */
    readonly connections: number;
    /** Open TCP connections by backend, `<address>:<port>`. */
    readonly open: Readonly<Record<string, number>>;
    /** Backends left alone for a while because connections to them failed, `<address>:<port>`. */
    readonly ejected: readonly string[];
  })[];
};

/** Turns the Directory's VIPs into the data plane's. */
export class VipConsumer implements DirectoryConsumer, Part {
  readonly name = 'vip';
  readonly #backend: VipBackend;
  readonly #log: Log;
  readonly #auditor: VipAuditor | undefined;
  readonly #clock: Clock | undefined;
  readonly #departed = new Departed();
  readonly #datagrams = new LateDatagrams();
  readonly #memory: DepartedMemory | undefined;
  #inForce: Derived = { directory: emptyDirectory, table: emptyTable };
  #drains: { readonly among: Directory['endpoints']; readonly found: readonly Endpoint[] } = noDrains;
  #problems: readonly VipProblem[] = [];
  /** Reasons that were logged and still hold. */
  #reported: ReadonlySet<string> = new Set();

  constructor({ backend, log, clock, metrics, memory, audits = [] }: VipConsumerDependencies) {
    this.#backend = backend;
    this.#log = log;
    this.#clock = clock;
    this.#memory = memory && new DepartedMemory(memory, this.#departed);
    const audited = [...(canAudit(backend) ? [backend] : []), ...audits];
    if (clock !== undefined && audited.length > 0)
      this.#auditor = new VipAuditor({ audits: audited, clock, log, metrics });
  }

  async start(): Promise<void> {
    await this.#backend.start();
    await this.#memory?.restore();
    await this.#auditor?.start();
  }

  /** Kernel VIPs go on without this process unless `remove`. */
  async stop(options: { readonly remove?: boolean } = {}): Promise<void> {
    await this.#auditor?.stop();
    await this.#backend.stop(options);
    this.#inForce = { directory: emptyDirectory, table: emptyTable };
    this.#problems = [];
    this.#reported = new Set();
    this.#departed.clear();
    if (options.remove) await this.#memory?.save();
  }

  /** The delta is not needed: what a revision left alone is the identical value, and is not looked into. */
  async apply(directory: Directory): Promise<number> {
    const table = vipTable(directory, this.#inForce);
    const problems = [...table.problems, ...(await this.#backend.apply(table))];
    this.#report([...problems, ...this.#otherwise(table)]);
    this.#departed.observe(this.#inForce.table, table);
    if (this.#clock !== undefined)
      this.#datagrams.observe(decide(this.#inForce.table, table), this.#clock.now());
    this.#inForce = { directory, table };
    this.#problems = problems;
    await this.#remember();
    return directory.revision;
  }

  async inFlight(): Promise<ReadonlyMap<InstanceId, number>> {
    const { endpoints } = this.#inForce.directory;
    const counts = new Map(await this.#openConnections());
    const late = this.#clock === undefined ? [] : this.#datagrams.instances(this.#clock.now());
    for (const instance of late) {
      const endpoint = endpoints.get(instance);
      const leaves = endpoint === undefined || endpoint.draining !== undefined;
      if (leaves) counts.set(instance, (counts.get(instance) ?? 0) + 1);
    }
    return counts;
  }

  /** The data plane is asked only while an instance that had backends drains, or is gone from the Directory. */
  async #openConnections(): Promise<ReadonlyMap<InstanceId, number>> {
    const { directory } = this.#inForce;
    const gone = this.#departed.instances().filter((instance) => !directory.endpoints.has(instance));
    const targets = new Map(gone.map((instance) => [instance, this.#departed.targetsOf(instance)]));
    // One that drains may be in use still (vip.md §17.2), so it need not have departed.
    for (const endpoint of this.#draining()) targets.set(endpoint.instanceId, targetsOf(endpoint));
    if (targets.size === 0) return new Map();
    const open = await this.#backend.connections(new Set([...targets.values()].flat()));
    const counts = new Map<InstanceId, number>();
    for (const [instance, keys] of targets) {
      const count = keys.reduce((sum, target) => sum + (open.get(target) ?? 0), 0);
      if (count > 0) counts.set(instance, count);
      else if (!directory.endpoints.has(instance)) this.#departed.forget(instance);
    }
    await this.#remember();
    return counts;
  }

  /** Looked for once for each Directory. */
  #draining(): readonly Endpoint[] {
    const { endpoints } = this.#inForce.directory;
    if (this.#drains.among !== endpoints)
      this.#drains = { among: endpoints, found: [...endpoints.values()].filter((one) => one.draining) };
    return this.#drains.found;
  }

  status(): VipStatus {
    const { directory, table } = this.#inForce;
    const problems = canRetry(this.#backend)
      ? [...table.problems, ...this.#backend.unserved()]
      : this.#problems;
    const problemOf = new Map(problems.map(({ key, reason }) => [key, reason]));
    const names = Map.groupBy(directory.vips.values(), serviceKey);
    const services = [...table.services].map(([key, service]) => {
      const problem = problemOf.get(key);
      const chosenBy = this.#chosenBy(service);
      return {
        ...service,
        key,
        names: (names.get(key) ?? []).flatMap((vip) => vip.names),
        ...(problem === undefined ? {} : { problem }),
        ...(chosenBy === undefined ? {} : { chosenBy }),
      };
    });
    return {
      backend: this.#backend.kind,
      revision: directory.revision,
      services,
      problems,
      ...(this.#auditor === undefined ? {} : { audit: this.#auditor.status() }),
    };
  }

  /** Backends that are left alone for a while because connections to them failed, by `targetKey`; as last known. */
  ejected(): ReadonlySet<string> {
    return canEject(this.#backend) ? this.#backend.ejected() : new Set();
  }

  /** Asks the data plane as well, so it costs more than `status`. */
  async nodeStatus(addresses: ReadonlySet<string>): Promise<VipNodeStatus> {
    const { backend, revision, services, audit } = this.status();
    const asked = services.filter(({ address }) => addresses.has(address));
    const keys = asked.flatMap(({ protocol, backends }) => backends.map((one) => targetKey(protocol, one)));
    const [taken, open] = await Promise.all([
      this.#backend.counters(),
      this.#backend.connections(new Set(keys)),
    ]);
    const alone = this.ejected();
    const openOf = ({ protocol, backends }: VipService) =>
      backends.map((one) => [`${one.address}:${one.port}`, open.get(targetKey(protocol, one)) ?? 0]);
    return {
      backend,
      revision,
      ...(audit === undefined ? {} : { drift: audit.drift, ...this.#audited(audit) }),
      services: asked.map((service) => ({
        ...service,
        connections: taken.get(service.key)?.connections ?? 0,
        open: Object.fromEntries(openOf(service)),
        ejected: service.backends
          .filter((one) => alone.has(targetKey(service.protocol, one)))
          .map((one) => `${one.address}:${one.port}`),
      })),
    };
  }

  #audited({ at, tookMs = 0 }: VipAuditStatus): Pick<VipNodeStatus, 'audited'> {
    if (at === undefined || this.#clock === undefined) return {};
    return { audited: { agoMs: this.#clock.now() - at, tookMs } };
  }

  /** Services that are served, but not chosen from as they ask. */
  #otherwise({ services }: VipTable): readonly VipProblem[] {
    return [...services].flatMap(([key, service]) => {
      const chosenBy = this.#chosenBy(service);
      if (chosenBy === undefined) return [];
      const { balance = 'affinity with a time-out' } = service;
      const reason = `Serves ${key} by ${chosenBy}: ${this.#backend.kind} cannot choose by ${balance}`;
      return [{ key, reason }];
    });
  }

  #chosenBy(service: VipService): VipBalance | undefined {
    const asks = service.balance !== undefined || service.affinitySeconds !== undefined;
    return asks && canChoose(this.#backend) ? this.#backend.chosenBy(service) : undefined;
  }

  /** A disk that fails costs a drain after a restart, and must not hold up a revision. */
  async #remember(): Promise<void> {
    await this.#memory?.save().catch((error: unknown) => {
      this.#log.warn('vip: cannot remember departed instances', { error: errorText(error) });
    });
  }

  /** Each problem is logged when it appears, not at every revision. */
  #report(problems: readonly VipProblem[]): void {
    for (const { key, reason } of problems) {
      if (!this.#reported.has(reason)) this.#log.warn(`vip: ${reason}`, { service: key });
    }
    this.#reported = new Set(problems.map(({ reason }) => reason));
  }
}

const noDrains = { among: emptyDirectory.endpoints, found: [] };

/** Where its TCP connections are, through a VIP or not. */
function targetsOf(endpoint: Endpoint): readonly string[] {
  const places = endpoint.ports.flatMap((port) =>
    addressesOf(endpoint, port).map((address) => targetKey('tcp', { address, port: port.port })),
  );
  return [...new Set(places)];
}
