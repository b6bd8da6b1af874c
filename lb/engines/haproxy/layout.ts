import type { RouteTable } from '../../edge/route-table.ts';
import { emptyTable } from '../../edge/route-table.ts';
import type { TableRoute } from '../../edge/table-route.ts';
import { chainLines, type HostPlan, headerLines, planHost } from './routing.ts';
import { backendText, shapeKey } from './sections.ts';
import { closedShape, type ShapeSettings, shapeOf } from './shape.ts';
import { changeServers } from './slot-changes.ts';
import { type Slot, serversOf } from './slots.ts';
import { commandWord } from './words.ts';

/** What must be done so that HAProxy follows a table. */
export type LayoutChange = {
  /** For the present process; what it takes away must be done even if a new configuration follows. */
  readonly commands: readonly string[];
  /** The present process cannot follow by commands alone. */
  readonly structural: boolean;
};

type MapName = 'exact' | 'prefix' | 'challenges';
type HostEntries = {
  readonly exact: ReadonlyMap<string, string>;
  readonly prefix: ReadonlyMap<string, string>;
  readonly chain: readonly string[];
};

const noEntries: HostEntries = { exact: new Map(), prefix: new Map(), chain: [] };
/** Backends that wait for new routes: so many at least, and a tenth of those in use. */
const leastWaiting = 64;

/**
 * Which backend carries out which route. A backend's lines cannot change while HAProxy runs, its servers can, and so can the maps that
 * lead to it: so a new route takes a waiting backend of its shape, if there is one.
 */
export class Layout {
  readonly #settings: ShapeSettings;
  #slots: Slot[] = [];
  readonly #byName = new Map<string, Slot>();
  readonly #waiting = new Set<Slot>();
  readonly #byRoute = new Map<string, Slot>();
  /** Routes by the pools they need. */
  readonly #users = new Map<string, Set<string>>();
  readonly #hosts = new Map<string, HostEntries>();
  readonly #plans = new Map<string, HostPlan>();
  readonly #chainIds = new Map<string, string>();
  #table: RouteTable = emptyTable;
  #lastSlot = 0;
  #lastChain = 0;

  constructor(settings: ShapeSettings) {
    this.#settings = settings;
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  get hasWildcards(): boolean {
    return this.#table.wildcards > 0 && [...this.#plans.keys()].some((host) => host.startsWith('*.'));
  }

  /** The backend of a route. */
  slotOf(routeId: string): Slot | undefined {
    return this.#byRoute.get(routeId);
  }

  /** The route of a backend. */
  routeOf(backend: string): string | undefined {
    return this.#byName.get(backend)?.route?.id;
  }

  get hosts(): readonly string[] {
    return [...this.#hosts.keys()];
  }

  /** Whatever HAProxy refuses is closed from now on, until the route is another. */
  close(slot: Slot): void {
    slot.shape = closedShape;
    slot.key = shapeKey(closedShape);
  }

  update(table: RouteTable): LayoutChange {
    const before = this.#table;
    this.#table = table;
    const hadWildcards = before.wildcards;
    // Routes of a listener's own table: this engine opens no listeners.
    const shared = before.hosts.differences(table.hosts).filter((host) => !host.includes('|'));
    const hosts = this.#touchedHosts(shared);
    const filled = new Set<Slot>();
    const structural = this.#placeRoutes(before, hosts, filled) || hadWildcards > 0 !== table.wildcards > 0;
    // A pool that only gained or lost a route has the endpoints it had.
    const pools = before.pools
      .differences(table.pools)
      .filter((key) => before.pools.get(key)?.endpoints !== table.pools.get(key)?.endpoints);
    for (const key of pools)
      for (const id of this.#users.get(key) ?? []) {
        const slot = this.#byRoute.get(id);
        if (slot !== undefined) filled.add(slot);
      }
    const servers = [...filled].flatMap((slot) => this.#fill(slot));
    const { commands: routing, rerouted } = this.#reroute(hosts);
    const commands = [...routing, ...mapCommands('challenges', before.challenges, table.challenges)];
    return {
      commands: [...servers.filter(isGiving), ...commands, ...servers.filter((one) => !isGiving(one))],
      structural: structural || rerouted,
    };
  }

  /** Everything for a new configuration; forgets what only the process before it knew. */
  rendered() {
    this.#renewSlots();
    const chained = [...this.#plans].flatMap(([host, { chain }]) =>
      chain === undefined ? [] : [{ host, chain }],
    );
    const { challenges } = this.#table;
    const maps = { exact: '', prefix: '', challenges: mapText(challenges) };
    for (const { exact, prefix } of this.#hosts.values()) {
      maps.exact += mapText(exact);
      maps.prefix += mapText(prefix);
    }
    const facts = chained.length === 0 ? [] : ["http-request set-var-fmt(txn.paths) '%[var(txn.path)]/'"];
    return {
      maps,
      chainFacts: [
        ...facts,
        ...headerLines(chained.flatMap(({ chain }) => chain.map(({ declared }) => declared))),
      ],
      chains: chained.flatMap(({ host }) => this.#hosts.get(host)?.chain ?? []),
      backends: this.#slots.map(({ name, shape, servers }) => backendText(name, shape, servers.values())),
    };
  }

  /** A host with a chain goes on with its wildcards, so it changes with them. */
  #touchedHosts(changed: readonly string[]): readonly string[] {
    if (!changed.some((host) => host.startsWith('*'))) return changed;
    const chained = [...this.#plans].flatMap(([host, { chain }]) => (chain === undefined ? [] : [host]));
    return [...new Set([...changed, ...chained])];
  }

  /** True when a route needs a backend that is not there. */
  #placeRoutes(before: RouteTable, hosts: readonly string[], filled: Set<Slot>): boolean {
    const after = hosts.flatMap((host) => this.#table.hosts.get(host)?.routes ?? []);
    const kept = new Set(after.map(({ id }) => id));
    const gone = hosts
      .flatMap((host) => before.hosts.get(host)?.routes ?? [])
      .filter(({ id }) => !kept.has(id));
    for (const route of gone) this.#release(route, filled);
    let structural = false;
    for (const route of after) {
      const present = this.#byRoute.get(route.id);
      if (present?.route?.declared === route.declared) continue;
      structural = this.#place(route, present, filled) || structural;
    }
    return structural;
  }

  #place(route: TableRoute, present: Slot | undefined, filled: Set<Slot>): boolean {
    const shape = shapeOf(route.declared, this.#settings);
    const key = shapeKey(shape);
    if (present?.route !== undefined) this.#forgetUses(present.route);
    for (const { poolKey } of route.shares ?? [route]) {
      const users = this.#users.get(poolKey) ?? new Set();
      this.#users.set(poolKey, users.add(route.id));
    }
    if (present !== undefined && present.key === key) {
      present.route = route;
      filled.add(present);
      return false;
    }
    if (present !== undefined) this.#vacate(present, filled);
    const waiting = this.#takeWaiting(key);
    const slot = waiting ?? this.#newSlot(shape, key);
    slot.route = route;
    this.#byRoute.set(route.id, slot);
    filled.add(slot);
    return waiting === undefined;
  }

  /** One whose last servers are gone: what it still carries must not be mixed with another route's. */
  #takeWaiting(key: string): Slot | undefined {
    const slot = [...this.#waiting].find((one) => one.key === key && one.leaving.size === 0);
    if (slot !== undefined) this.#waiting.delete(slot);
    return slot;
  }

  #release(route: TableRoute, filled: Set<Slot>): void {
    const slot = this.#byRoute.get(route.id);
    this.#byRoute.delete(route.id);
    if (slot === undefined) return;
    if (slot.route !== undefined) this.#forgetUses(slot.route);
    this.#vacate(slot, filled);
  }

  #vacate(slot: Slot, filled: Set<Slot>): void {
    slot.route = undefined;
    this.#waiting.add(slot);
    filled.add(slot);
  }

  #forgetUses({ id, shares, poolKey: own }: TableRoute): void {
    for (const { poolKey } of shares ?? [{ poolKey: own }]) {
      const users = this.#users.get(poolKey);
      users?.delete(id);
      if (users?.size === 0) this.#users.delete(poolKey);
    }
  }

  #fill(slot: Slot): readonly string[] {
    const wanted = slot.route === undefined ? new Map() : serversOf(this.#table, slot.route);
    const commands = changeServers(slot, wanted);
    return slot.isRendered ? commands : [];
  }

  #newSlot(shape: Slot['shape'], key: string): Slot {
    const slot = {
      name: `b${++this.#lastSlot}`,
      shape,
      key,
      route: undefined,
      servers: new Map(),
      leaving: new Set<string>(),
      isRendered: false,
    };
    this.#slots.push(slot);
    this.#byName.set(slot.name, slot);
    return slot;
  }

  #reroute(hosts: readonly string[]): { commands: readonly string[]; rerouted: boolean } {
    const commands: string[] = [];
    let rerouted = false;
    for (const host of hosts) {
      const before = this.#hosts.get(host) ?? noEntries;
      const after = this.#entriesOf(host);
      if (after === noEntries) this.#hosts.delete(host);
      else this.#hosts.set(host, after);
      commands.push(...mapCommands('exact', before.exact, after.exact));
      commands.push(...mapCommands('prefix', before.prefix, after.prefix));
      rerouted ||= before.chain.join('\n') !== after.chain.join('\n');
    }
    return { commands, rerouted };
  }

  #entriesOf(host: string): HostEntries {
    if (!this.#table.hosts.has(host)) {
      this.#plans.delete(host);
      this.#chainIds.delete(host);
      return noEntries;
    }
    const plan = planHost(this.#table, host);
    this.#plans.set(host, plan);
    const nameOf = (route: TableRoute) => this.#byRoute.get(route.id)?.name;
    if (plan.chain === undefined) {
      return { exact: named(plan.exact, nameOf), prefix: named(plan.prefix, nameOf), chain: [] };
    }
    const id = this.#chainIds.get(host) ?? `o${++this.#lastChain}`;
    this.#chainIds.set(host, id);
    return {
      exact: new Map(),
      prefix: new Map([[`${host}/`, id]]),
      chain: chainLines(id, plan.chain, nameOf),
    };
  }

  /** Waiting backends are of the plain shape, which most new routes have. */
  #renewSlots(): void {
    const plain = shapeOf(
      { id: '', host: '*', pathPrefix: '/', service: { appId: '/', portIndex: 0 }, owner: '' },
      this.#settings,
    );
    const key = shapeKey(plain);
    const used = this.#slots.filter(({ route }) => route !== undefined);
    const waiting = this.#slots.filter((slot) => slot.route === undefined && slot.key === key);
    const wanted = Math.max(leastWaiting, Math.ceil(used.length / 10));
    this.#slots = [...used, ...waiting.slice(0, wanted)];
    for (let n = waiting.length; n < wanted; n++) this.#newSlot(plain, key);
    this.#waiting.clear();
    this.#byName.clear();
    for (const slot of this.#slots) {
      this.#byName.set(slot.name, slot);
      slot.leaving.clear();
      slot.isRendered = true;
      if (slot.route === undefined) this.#waiting.add(slot);
    }
  }
}

function isGiving(command: string): boolean {
  return !command.endsWith('state maint');
}

function mapText(entries: ReadonlyMap<string, string>): string {
  return [...entries].map(([key, value]) => `${key} ${value}\n`).join('');
}

function named(
  plan: ReadonlyMap<string, TableRoute>,
  nameOf: (route: TableRoute) => string | undefined,
): ReadonlyMap<string, string> {
  return new Map(
    [...plan].flatMap(([key, route]) => {
      const name = nameOf(route);
      return name === undefined ? [] : [[key, name] as const];
    }),
  );
}

function mapCommands(
  map: MapName,
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  const file = `${map}.map`;
  const commands: string[] = [];
  for (const [key, value] of after) {
    const known = before.get(key);
    if (known === undefined) commands.push(`add map ${file} ${commandWord(key)} ${value}`);
    else if (known !== value) commands.push(`set map ${file} ${commandWord(key)} ${value}`);
  }
  for (const key of before.keys()) if (!after.has(key)) commands.push(`del map ${file} ${commandWord(key)}`);
  return commands;
}
