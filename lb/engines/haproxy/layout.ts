import type { Listener } from '../../../core/model/listener.ts';
import { emptyTable, type RouteTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import { type Asking, AskingHosts } from './asking.ts';
import { Backends, type BackendsChange } from './backends.ts';
import { mapCommands, mapText } from './map-commands.ts';
import { Paths } from './paths.ts';
import { Scopes } from './scopes.ts';
import type { ShapeFile } from './sections.ts';
import { ServerNames } from './server-names.ts';
import { type ShapeSettings, shapeOf } from './shape.ts';
import { askedEntries, cookieEntries } from './slot-changes.ts';
import type { AddressOf, Slot } from './slots.ts';
import { streamShapeOf } from './stream-shape.ts';
import { changedClaims, routesOf, type View } from './view.ts';

/** What must be done so that HAProxy follows a table. */
export type LayoutChange = {
  /** For the present process; what it takes away must be done even if a new configuration follows. */
  readonly commands: readonly string[];
  /** The present process cannot follow by commands alone. */
  readonly structural: boolean;
};

const nothing: View = { table: emptyTable, scopes: new Set() };
const plain = { id: '', host: '*', pathPrefix: '/', service: { appId: '/', portIndex: 0 }, owner: '' };

/** Everything of a configuration that follows the route table: backends, and how requests and connections find them. */
export class Layout {
  readonly #scopes = new Scopes();
  readonly #asking = new AskingHosts();
  readonly #requests: Backends;
  readonly #streams: Backends;
  readonly #paths: Paths;
  readonly #names: ServerNames;
  #views = { requests: nothing, streams: nothing };
  #table: RouteTable = emptyTable;

  constructor(settings: ShapeSettings, addressOf: AddressOf = (host) => host) {
    this.#requests = new Backends({
      prefix: 'b',
      shapeOf: ({ declared }, { certificates }) => shapeOf(declared, settings, certificates),
      usual: shapeOf(plain, settings),
      ...{ leastWaiting: 64, addressOf },
    });
    this.#streams = new Backends({
      prefix: 't',
      shapeOf: ({ declared }, { certificates }) => streamShapeOf(declared, settings, certificates),
      usual: streamShapeOf(plain, settings, new Map()),
      ...{ leastWaiting: 0, addressOf },
    });
    const nameOf = (scope: string) => this.#scopes.nameOf(scope);
    this.#paths = new Paths({ nameOf, backendOf: (id) => this.#requests.slotOf(id)?.name });
    this.#names = new ServerNames({ nameOf, backendOf: (id) => this.#streams.slotOf(id)?.name });
  }

  get slots(): readonly Slot[] {
    return [...this.#requests.slots, ...this.#streams.slots];
  }

  get hasWildcards(): boolean {
    return this.#paths.hasWildcards;
  }

  /** Hosts that requests are for. */
  get hosts(): readonly string[] {
    return this.#paths.hosts;
  }

  /** Whether any clients are asked for certificates. */
  get asks(): boolean {
    return !this.#asking.isEmpty;
  }

  get disputed(): readonly string[] {
    return this.#asking.disputed;
  }

  /** Which clients are asked for certificates, by the scope of what their listener serves. */
  asking(scope: string): Asking {
    return this.#asking.of(scope);
  }

  /** The backend of a route. */
  slotOf(routeId: string): Slot | undefined {
    return this.#requests.slotOf(routeId) ?? this.#streams.slotOf(routeId);
  }

  /** The route of a backend. */
  routeOf(backend: string): string | undefined {
    return this.#requests.routeOf(backend) ?? this.#streams.routeOf(backend);
  }

  /** The route of a backend, or the one that it had last. */
  lastRouteOf(backend: string): string | undefined {
    return this.#requests.lastRouteOf(backend) ?? this.#streams.lastRouteOf(backend);
  }

  /** The same of all backends. */
  lastRoutes(): ReadonlyMap<string, string> {
    return new Map(
      this.slots.flatMap(({ name, lastRoute }) =>
        lastRoute === undefined ? [] : [[name, lastRoute] as const],
      ),
    );
  }

  /** In maps. */
  scopeName(scope: string): string {
    return this.#scopes.nameOf(scope);
  }

  /** A rule of a chain that HAProxy refuses takes nothing until its route is another. Gives the route's id. */
  silence(rule: string): string | undefined {
    return this.#paths.silence(rule);
  }

  /** `listeners`: those that are open. */
  update(table: RouteTable, listeners: Iterable<Listener>): LayoutChange {
    this.#scopes.follow(listeners);
    const { challenges } = this.#table;
    this.#table = table;
    const { requests, streams } = this.#views;
    this.#views = {
      requests: { table, scopes: this.#scopes.http },
      streams: { table, scopes: this.#scopes.streams },
    };
    const claims = this.#paths.touched(changedClaims(requests, this.#views.requests));
    const isAskedOtherwise = this.#asking.follow(this.#views.requests, claims);
    const names = changedClaims(streams, this.#views.streams);
    const served = updated(this.#requests, [requests, this.#views.requests], claims);
    const passed = updated(this.#streams, [streams, this.#views.streams], names);
    const { commands, rerouted } = this.#paths.follow(this.#views.requests, claims);
    return {
      commands: [
        ...served.giving,
        ...passed.giving,
        ...commands,
        ...this.#names.follow(this.#views.streams, names),
        ...mapCommands('challenges', challenges, table.challenges),
        ...served.taking,
        ...passed.taking,
      ],
      structural: served.structural || passed.structural || rerouted || isAskedOtherwise,
    };
  }

  /** What follows when hosts are elsewhere. */
  refill(): readonly string[] {
    return [...this.#requests.refill(), ...this.#streams.refill()];
  }

  /** Everything for a new configuration; forgets what only the process before it knew. */
  rendered() {
    this.#requests.renew();
    this.#streams.renew();
    const { maps, facts, chains } = this.#paths.rendered();
    const cookies = this.slots.map((slot) => mapText(cookieEntries(slot, slot.servers))).join('');
    const files: readonly ShapeFile[] = [...this.#requests.files, ...this.#streams.files];
    return {
      maps: {
        ...maps,
        cookies,
        asked: this.slots.map((slot) => mapText(askedEntries(slot))).join(''),
        streams: this.#names.rendered(),
        challenges: mapText(this.#table.challenges),
      },
      ...{ facts, chains, files },
      isScripted: this.slots.some(({ shape }) => shape.isScripted),
      restricts: this.slots.some(({ shape }) => shape.restricts),
      backends: [...this.#requests.texts(), ...this.#streams.texts()],
    };
  }
}

function updated(
  backends: Backends,
  [before, after]: readonly [View, View],
  claims: readonly string[],
): BackendsChange {
  const present = claims.flatMap((claim) => routesOf(after, claim));
  const kept = new Set(present.map(({ id }) => id));
  const gone: readonly TableRoute[] = claims
    .flatMap((claim) => routesOf(before, claim))
    .filter(({ id }) => !kept.has(id));
  return backends.update(after.table, { gone, present });
}
