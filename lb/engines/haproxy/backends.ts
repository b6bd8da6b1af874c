import { isServerSet } from '../../../core/model/server-set.ts';
import type { RouteTable } from '../../edge/routes/route-table.ts';
import { emptyTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import { askedPlaces, askedPool } from './ask-lines.ts';
import { backendPrefix } from './lenient-lines.ts';
import { backendText, type Shape, type ShapeFile, shapeKey } from './sections.ts';
import { closedShape } from './shape.ts';
import { changeAsked, changeServers } from './slot-changes.ts';
import { type AddressOf, type Slot, serversOf } from './slots.ts';

export type BackendsOptions = {
  /** Of their names; one letter. */
  readonly prefix: string;
  readonly shapeOf: (route: TableRoute, table: RouteTable) => Shape;
  /** What many new routes will want. */
  readonly usual: Shape;
  /** So many wait for new routes at least; a tenth of those in use do. */
  readonly leastWaiting: number;
  readonly addressOf: AddressOf;
};

export type BackendsChange = {
  /** What makes new servers known, and what takes from others whatever is new. */
  readonly giving: readonly string[];
  readonly taking: readonly string[];
  /** A route needs a backend that is not there. */
  readonly structural: boolean;
};

/**
 * Which backend carries out which route. A backend's lines cannot change while HAProxy runs, its servers can: so a new route takes a
 * waiting backend of its shape, if there is one.
 */
export class Backends {
  readonly #options: BackendsOptions;
  #slots: Slot[] = [];
  readonly #byName = new Map<string, Slot>();
  readonly #waiting = new Set<Slot>();
  readonly #byRoute = new Map<string, Slot>();
  /** Routes by the pools they need, and those that show certificates to endpoints. */
  readonly #users = new Map<string, Set<string>>();
  readonly #showing = new Map<string, TableRoute>();
  #table: RouteTable = emptyTable;
  #last = 0;

  constructor(options: BackendsOptions) {
    this.#options = options;
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  slotOf(routeId: string): Slot | undefined {
    return this.#byRoute.get(routeId);
  }

  /** The route of a backend. */
  routeOf(backend: string): string | undefined {
    return this.#byName.get(backend)?.route?.id;
  }

  /** The route of a backend, or the one that it had last. */
  lastRouteOf(backend: string): string | undefined {
    return this.#byName.get(backend)?.lastRoute;
  }

  /** Files that its lines speak of. */
  get files(): readonly ShapeFile[] {
    return this.#slots.flatMap(({ shape }) => shape.files);
  }

  /** `gone`, `present`: of all hosts that changed, the routes that are no more and those that there are. */
  update(
    table: RouteTable,
    { gone, present }: { readonly gone: readonly TableRoute[]; readonly present: readonly TableRoute[] },
  ): BackendsChange {
    const before = this.#table;
    this.#table = table;
    const filled = new Set<Slot>();
    for (const route of gone) this.#release(route, filled);
    const reshaped = before.certificates === table.certificates ? [] : [...this.#showing.values()];
    let structural = false;
    for (const route of new Set([...present, ...reshaped])) {
      const known = this.#byRoute.get(route.id);
      if (known?.route?.declared === route.declared && !reshaped.includes(route)) continue;
      structural = this.#place(route, known, filled) || structural;
    }
    for (const id of this.#usersOf(before, table)) {
      const slot = this.#byRoute.get(id);
      if (slot !== undefined) filled.add(slot);
    }
    const commands = [...filled].flatMap((slot) => this.#fill(slot));
    return {
      giving: commands.filter((one) => !isTaking(one)),
      taking: commands.filter(isTaking),
      structural,
    };
  }

  /** Names of hosts may stand for other addresses. */
  refill(): readonly string[] {
    const named = this.#slots.filter(
      ({ route }) => route !== undefined && isServerSet(route.declared.service.appId),
    );
    return named.flatMap((slot) => this.#fill(slot));
  }

  /** For a new configuration; forgets what only the process before it knew. */
  renew(): void {
    const { usual, leastWaiting } = this.#options;
    const key = shapeKey(usual);
    const used = this.#slots.filter(({ route }) => route !== undefined);
    const waiting = this.#slots.filter((slot) => slot.route === undefined && slot.key === key);
    const wanted = Math.max(leastWaiting, Math.ceil(used.length / 10));
    this.#slots = [...used, ...waiting.slice(0, wanted)];
    for (let n = waiting.length; n < wanted; n++) this.#newSlot(usual, key);
    this.#waiting.clear();
    this.#byName.clear();
    for (const slot of this.#slots) {
      this.#byName.set(slot.name, slot);
      slot.leaving.clear();
      slot.isRendered = true;
      if (slot.route === undefined) this.#waiting.add(slot);
    }
  }

  *texts(): Generator<string> {
    for (const { name, shape, servers } of this.#slots) yield backendText(name, shape, servers.values());
  }

  /** A pool that only gained or lost a route has the endpoints it had. */
  #usersOf(before: RouteTable, after: RouteTable): readonly string[] {
    return before.pools
      .differences(after.pools)
      .filter((key) => before.pools.get(key)?.endpoints !== after.pools.get(key)?.endpoints)
      .flatMap((key) => [...(this.#users.get(key) ?? [])]);
  }

  /** True when it needs a backend that is not there. */
  #place(route: TableRoute, present: Slot | undefined, filled: Set<Slot>): boolean {
    const shape = this.#options.shapeOf(route, this.#table);
    const key = shapeKey(shape);
    if (present?.route !== undefined) this.#forget(present.route);
    this.#note(route);
    if (present !== undefined && present.key === key) {
      present.route = route;
      filled.add(present);
      return false;
    }
    if (present !== undefined) this.#vacate(present, filled);
    const waiting = this.#takeWaiting(key);
    const slot = waiting ?? this.#newSlot(shape, key);
    slot.route = route;
    slot.lastRoute = route.id;
    this.#byRoute.set(route.id, slot);
    filled.add(slot);
    return waiting === undefined;
  }

  /** One whose last servers are gone: what it still carries must not be mixed with another route's. */
  #takeWaiting(key: string): Slot | undefined {
    const slot = this.#waiting.values().find((one) => one.key === key && one.leaving.size === 0);
    if (slot !== undefined) this.#waiting.delete(slot);
    return slot;
  }

  #release(route: TableRoute, filled: Set<Slot>): void {
    const slot = this.#byRoute.get(route.id);
    this.#byRoute.delete(route.id);
    if (slot === undefined) return;
    if (slot.route !== undefined) this.#forget(slot.route);
    this.#vacate(slot, filled);
  }

  #vacate(slot: Slot, filled: Set<Slot>): void {
    slot.route = undefined;
    this.#waiting.add(slot);
    filled.add(slot);
  }

  #note(route: TableRoute): void {
    for (const poolKey of poolsOf(route)) {
      const users = this.#users.get(poolKey) ?? new Set();
      this.#users.set(poolKey, users.add(route.id));
    }
    if (route.declared.options?.tls?.certificate !== undefined) this.#showing.set(route.id, route);
  }

  #forget(route: TableRoute): void {
    const { id } = route;
    this.#showing.delete(id);
    for (const poolKey of poolsOf(route)) {
      const users = this.#users.get(poolKey);
      users?.delete(id);
      if (users?.size === 0) this.#users.delete(poolKey);
    }
  }

  #fill(slot: Slot): readonly string[] {
    const { route } = slot;
    const { addressOf } = this.#options;
    const wanted = route === undefined ? new Map() : serversOf(this.#table, route, addressOf);
    const asked = route === undefined ? '' : askedPlaces(this.#table, route, addressOf);
    const commands = [...changeAsked(slot, asked), ...changeServers(slot, wanted)];
    return slot.isRendered ? commands : [];
  }

  #newSlot(shape: Shape, key: string): Slot {
    const slot: Slot = {
      ...{
        name: `${backendPrefix(this.#options.prefix, shape.restricts)}${++this.#last}`,
        shape,
        key,
        route: undefined,
        lastRoute: undefined,
      },
      ...{ servers: new Map(), leaving: new Set<string>(), asked: '', isRendered: false },
    };
    this.#slots.push(slot);
    this.#byName.set(slot.name, slot);
    return slot;
  }
}

/** Those that a route needs endpoints of. */
function poolsOf(route: TableRoute): readonly string[] {
  const asked = askedPool(route);
  const own = (route.shares ?? [route]).map(({ poolKey }) => poolKey);
  return asked === undefined ? own : [...own, asked];
}

/** Whatever HAProxy refuses is closed from now on, until its route is another. */
export function closeSlot(slot: Slot): void {
  slot.shape = closedShape(slot.shape.from);
  slot.key = shapeKey(slot.shape);
}

/** Done even when a new configuration follows: whoever is gone gets nothing new at once. */
export function isTaking(command: string): boolean {
  return command.endsWith(' state maint');
}
