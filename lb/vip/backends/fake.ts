import type { VipBackend, VipCounters } from '../backend.ts';
import {
  emptyTable,
  serviceKey,
  targetKey,
  type VipProblem,
  type VipService,
  type VipTable,
  type VipTarget,
} from '../table.ts';

/** VIPs in memory: backends are chosen in turn, connections are opened and closed by the test. */
export class FakeVipBackend implements VipBackend {
  readonly kind = 'fake';
  /** Every table that was applied, the last one in force. */
  readonly tables: VipTable[] = [];
  /** Set to make the next `apply` reject. */
  failure: Error | undefined;
  readonly #open = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  #turn = 0;

  get table(): VipTable {
    return this.tables.at(-1) ?? emptyTable;
  }

  async start(): Promise<void> {}

  async apply(table: VipTable): Promise<readonly VipProblem[]> {
    const failure = this.failure;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    this.tables.push(table);
    return [];
  }

  async connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    return new Map([...this.#open].filter(([key, count]) => targets.has(key) && count > 0));
  }

  async counters(): Promise<ReadonlyMap<string, VipCounters>> {
    return new Map(
      [...this.table.services.keys()].map((key) => [key, { connections: this.#counts.get(key) ?? 0 }]),
    );
  }

  async stop(options: { readonly remove?: boolean } = {}): Promise<void> {
    if (options.remove) this.tables.push(emptyTable);
  }

  /** The backend a new connection reaches, or undefined when it is refused. `hangUp` ends it. */
  connect(to: Pick<VipService, 'protocol' | 'address' | 'port'>): VipTarget | undefined {
    const service = this.table.services.get(serviceKey(to));
    const target = service?.backends[this.#turn++ % Math.max(1, service.backends.length)];
    if (service === undefined || target === undefined) return undefined;
    this.#add(this.#open, targetKey(service.protocol, target), 1);
    this.#add(this.#counts, serviceKey(service), 1);
    return target;
  }

  hangUp(protocol: 'tcp' | 'udp', target: VipTarget): void {
    this.#add(this.#open, targetKey(protocol, target), -1);
  }

  #add(counts: Map<string, number>, key: string, by: number): void {
    counts.set(key, (counts.get(key) ?? 0) + by);
  }
}
