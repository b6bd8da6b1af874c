import { isIPv6 } from 'node:net';
import type { Clock } from '../../../core/kit/clock.ts';
import { errorText } from '../../../core/kit/errors.ts';
import type { Log } from '../../../core/kit/log.ts';
import type { Part } from '../../../core/kit/part.ts';
import type { Directory } from '../../../core/model/directory.ts';
import type { AgentId, InstanceId } from '../../../core/model/ids.ts';
import { isHttp, type Listener, type ListenerState } from '../../../core/model/listener.ts';
import { VipAuditor } from '../../vip/auditor.ts';
import { Departed } from '../../vip/departed.ts';
import { emptyTable, serviceKey, type VipTable } from '../../vip/table.ts';
import type { ListenerCounts } from './listener-tally.ts';
import { mapping, routesByTable, routesOf } from './mapping.ts';
import type { MappedPort, PortMapper } from './port-mapper.ts';

export type KernelPortsDependencies = {
  readonly mapper: PortMapper;
  readonly clock: Clock;
  readonly log: Log;
  /** Of this machine. */
  readonly agentId: AgentId | undefined;
};

/** Where a listener is open, and what it is. */
type Open = { readonly listener: Listener };

type Carried = Pick<ListenerState, 'kernel' | 'because'>;

/**
 * Has the kernel carry what needs nobody who reads along. The sockets of the edge stay open behind it: what is not mapped, not yet or
 * not any more, arrives there.
 */
export class KernelPorts implements Part {
  readonly name = 'edge-kernel';
  readonly #mapper: PortMapper;
  readonly #log: Log;
  readonly #agentId: AgentId | undefined;
  readonly #auditor: VipAuditor;
  readonly #departed = new Departed();
  /** Why the kernel carries nothing, although it was to; as it was logged. */
  #problem: string | undefined;
  #cannotSix: string | undefined;
  /** What was asked for last. */
  #asked: { readonly directory: Directory; readonly open: readonly Open[] } | undefined;
  #carried: ReadonlyMap<string, Carried> = new Map();
  #inForce: VipTable = emptyTable;
  /** As text: what is in force. Undefined: unknown. */
  #put: string | undefined;
  /** One change after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor({ mapper, clock, log, agentId }: KernelPortsDependencies) {
    this.#mapper = mapper;
    this.#log = log;
    this.#agentId = agentId;
    this.#auditor = new VipAuditor({
      audits: [mapper, { audit: () => this.#again() }],
      clock,
      log,
      about: 'edge',
    });
  }

  async start(): Promise<void> {
    await this.#auditor.start();
  }

  /** New connections are the processes' from now on. */
  async stop(): Promise<void> {
    await this.#auditor.stop();
    if (this.#put !== undefined) await this.#mapper.stop();
    this.#asked = undefined;
    this.#problem = undefined;
    this.#put = undefined;
    this.#inForce = emptyTable;
    this.#departed.clear();
    this.#carried = new Map();
  }

  /** Who left and may have connections still; for `start` of the process that takes over. */
  get departed(): ReadonlyMap<InstanceId, readonly string[]> {
    return new Map(this.#departed.instances().map((one) => [one, this.#departed.targetsOf(one)]));
  }

  restore(departed: ReadonlyMap<InstanceId, readonly string[]>): void {
    for (const [instance, targets] of departed) this.#departed.restore(instance, targets);
  }

  /** Another process has taken over: what is in the kernel is its own from now on. */
  async leave(): Promise<void> {
    await this.#auditor.stop();
    this.#asked = undefined;
    await this.#turn;
    if (this.#put !== undefined) await this.#mapper.leave();
    this.#put = undefined;
    this.#departed.clear();
  }

  /** Resolves when new connections follow the Directory. Throws when an endpoint that left may still get some. */
  apply(directory: Directory, open: Iterable<Open>): Promise<void> {
    this.#asked = { directory, open: [...open] };
    return this.#follow();
  }

  #follow(): Promise<void> {
    const turn = this.#turn.then(() => this.#apply());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #apply(): Promise<void> {
    if (this.#asked === undefined) return;
    await this.#askSix(this.#asked.open);
    const ports = this.#decide(this.#asked.directory, this.#asked.open);
    const text = JSON.stringify(ports);
    if (text === this.#put) return;
    this.#put = undefined;
    const table = tableOf(ports);
    this.#departed.observe(this.#inForce, table);
    try {
      await this.#mapper.apply(ports);
    } catch (error) {
      if (ports.length + this.#inForce.services.size > 0) return this.#withdraw(ports, errorText(error));
    }
    this.#inForce = table;
    this.#put = text;
    this.#problem = undefined;
  }

  /** Who carries it; empty: the edge's processes, as they always do. */
  carried(listener: string): Carried {
    return this.#carried.get(listener) ?? {};
  }

  /** Open connections to instances that the Directory has no more. */
  async inFlight({ endpoints }: Directory): Promise<ReadonlyMap<InstanceId, number>> {
    const gone = this.#departed.instances().filter((instance) => !endpoints.has(instance));
    if (gone.length === 0) return new Map();
    const targets = new Set(gone.flatMap((instance) => this.#departed.targetsOf(instance)));
    const open = await this.#mapper.connections(targets);
    const counts = new Map<InstanceId, number>();
    for (const instance of gone) {
      const count = this.#departed
        .targetsOf(instance)
        .reduce((sum, target) => sum + (open.get(target) ?? 0), 0);
      if (count > 0) counts.set(instance, count);
      else this.#departed.forget(instance);
    }
    return counts;
  }

  async counts(): Promise<readonly ListenerCounts[]> {
    return this.#put === undefined ? [] : this.#mapper.counts();
  }

  async #askSix(open: readonly Open[]): Promise<void> {
    const isAsked = open.some(({ listener }) => !isHttp(listener.protocol) && isIPv6(listener.address ?? ''));
    this.#cannotSix = isAsked ? await this.#mapper.cannot(6) : undefined;
  }

  #decide(directory: Directory, open: Iterable<Open>): readonly MappedPort[] {
    const carried = new Map<string, Carried>();
    const streams = [...open].map(({ listener }) => listener).filter(({ protocol }) => !isHttp(protocol));
    const tables = streams.length === 0 ? new Map() : routesByTable(directory);
    const ports: MappedPort[] = [];
    for (const listener of streams) {
      const { address = '127.0.0.1' } = listener;
      const routes = routesOf(tables, listener);
      const options = { agentId: this.#agentId, routes, cannotSix: this.#cannotSix };
      const decision = mapping(directory, { ...listener, address }, options);
      if (decision.kind === 'process') {
        carried.set(listener.id, { because: decision.because });
        continue;
      }
      ports.push(...decision.ports);
      const backends = decision.ports.flatMap((port) => port.backends);
      const far = new Set(backends.filter((one) => one.far).map(({ instanceId }) => instanceId));
      const { except } = decision;
      carried.set(listener.id, {
        kernel: { masquerades: [...far], ...(except !== undefined && { except }) },
      });
    }
    this.#carried = carried;
    return ports;
  }

  /** What could not be may be possible now: it is looked at with each audit. */
  async #again(): Promise<readonly []> {
    if (this.#problem !== undefined || this.#cannotSix !== undefined) await this.#follow();
    return [];
  }

  /** The sockets take over, which is no failure of the edge. Throws when the kernel may still carry something. */
  async #withdraw(ports: readonly MappedPort[], because: string): Promise<void> {
    if (because !== this.#problem && ports.length > 0)
      this.#log.warn('edge: processes carry all connections, not the kernel', { because });
    this.#problem = because;
    this.#carried = new Map<string, Carried>([
      ...this.#carried,
      ...ports.map(({ listener }) => [listener, { because }] as const),
    ]);
    if (this.#inForce.services.size > 0) await this.#mapper.stop();
    this.#inForce = emptyTable;
  }
}

function tableOf(ports: readonly MappedPort[]): VipTable {
  return { services: new Map(ports.map((port) => [serviceKey(port), port])), problems: [] };
}
