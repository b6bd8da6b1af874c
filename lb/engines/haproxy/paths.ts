import type { Route } from '../../../core/model/route.ts';
import type { RouteTable } from '../../edge/routes/route-table.ts';
import { emptyTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import { isOdd } from './lenient-lines.ts';
import { mapCommands, mapText } from './map-commands.ts';
import { chainFacts, chainLines, type HostPlan, headerLines, planHost } from './routing.ts';
import { partsOf } from './scopes.ts';
import { owns, type View } from './view.ts';

type HostEntries = {
  readonly exact: ReadonlyMap<string, string>;
  readonly prefix: ReadonlyMap<string, string>;
  readonly chain: readonly string[];
};

const noEntries: HostEntries = { exact: new Map(), prefix: new Map(), chain: [] };

export type PathsOptions = {
  /** Of a scope, in maps. */
  readonly nameOf: (scope: string) => string;
  readonly backendOf: (routeId: string) => string | undefined;
};

/** How requests find their backends by host and path. */
export class Paths {
  readonly #options: PathsOptions;
  readonly #hosts = new Map<string, HostEntries>();
  readonly #plans = new Map<string, HostPlan>();
  readonly #chainIds = new Map<string, string>();
  /** Routes, as they were given, whose rules HAProxy refuses. */
  readonly #silent = new WeakSet<Route>();
  /** Hosts with a star and more. */
  readonly #wildcards = new Set<string>();
  #table: RouteTable = emptyTable;
  #lastChain = 0;

  constructor(options: PathsOptions) {
    this.#options = options;
  }

  get hasWildcards(): boolean {
    return this.#wildcards.size > 0;
  }

  /** Without their scopes; ids of apps are none. */
  get hosts(): readonly string[] {
    const names = [...this.#hosts.keys()].map((claim) => partsOf(claim).host);
    return [...new Set(names.filter((host) => !host.includes('/')))];
  }

  /** A host with a chain goes on with its wildcards, so it changes with them. */
  touched(changed: readonly string[]): readonly string[] {
    const scopes = new Set(
      changed.flatMap((claim) => {
        const { scope, host } = partsOf(claim);
        return host.startsWith('*') ? [scope] : [];
      }),
    );
    if (scopes.size === 0) return changed;
    const chained = [...this.#plans].flatMap(([claim, { chain }]) =>
      chain !== undefined && scopes.has(partsOf(claim).scope) ? [claim] : [],
    );
    return [...new Set([...changed, ...chained])];
  }

  /** `rerouted`: rules changed, which commands cannot say. */
  follow(
    view: View,
    claims: readonly string[],
  ): { readonly commands: readonly string[]; readonly rerouted: boolean } {
    const hadWildcards = this.hasWildcards;
    this.#table = view.table;
    const commands: string[] = [];
    let rerouted = false;
    for (const claim of claims) {
      const before = this.#hosts.get(claim) ?? noEntries;
      const after = this.#entriesOf(view, claim);
      if (after === noEntries) this.#hosts.delete(claim);
      else this.#hosts.set(claim, after);
      commands.push(...mapCommands('exact', before.exact, after.exact));
      commands.push(...mapCommands('prefix', before.prefix, after.prefix));
      rerouted ||= before.chain.join('\n') !== after.chain.join('\n');
    }
    return { commands, rerouted: rerouted || hadWildcards !== this.hasWildcards };
  }

  silence(rule: string): string | undefined {
    const [id = '', place] = rule.split('_');
    const claim = this.#chainIds.entries().find(([, known]) => known === id)?.[0] ?? '';
    const { chain = [] } = this.#plans.get(claim) ?? {};
    const route = chain[Number(place)];
    const entries = this.#hosts.get(claim);
    if (route === undefined || entries === undefined) return undefined;
    this.#silent.add(route.declared);
    this.#hosts.set(claim, { ...entries, chain: this.#chainLines(id, chain) });
    return route.id;
  }

  rendered() {
    const chained = [...this.#plans].flatMap(([claim, { chain }]) =>
      chain === undefined ? [] : [{ id: this.#chainIds.get(claim) ?? '', claim, chain }],
    );
    const maps = { exact: '', prefix: '' };
    for (const { exact, prefix } of this.#hosts.values()) {
      maps.exact += mapText(exact);
      maps.prefix += mapText(prefix);
    }
    const facts =
      chained.length === 0
        ? []
        : [
            "http-request set-var-fmt(txn.paths) '%[var(txn.path)]/'",
            `http-request set-var-fmt(txn.lenients) '%[var(txn.lenient)]/' if ${isOdd}`,
          ];
    return {
      maps,
      facts: [
        ...facts,
        ...headerLines(chained.flatMap(({ chain }) => chain).filter((route) => !this.#isSilent(route))),
        ...chained.flatMap(({ id, chain }) => chainFacts(id, chain, (route) => !this.#isSilent(route))),
      ],
      chains: chained.flatMap(({ claim }) => this.#hosts.get(claim)?.chain ?? []),
    };
  }

  #entriesOf(view: View, claim: string): HostEntries {
    const { scope, host } = partsOf(claim);
    const isWild = host.startsWith('*.');
    if (!owns(view, claim) || !this.#table.hosts.has(claim)) {
      this.#plans.delete(claim);
      this.#chainIds.delete(claim);
      if (isWild) this.#wildcards.delete(claim);
      return noEntries;
    }
    if (isWild) this.#wildcards.add(claim);
    const plan = planHost(this.#table, claim);
    this.#plans.set(claim, plan);
    const name = `${this.#options.nameOf(scope)}${mapped(host)}`;
    if (plan.chain === undefined)
      return { exact: this.#named(name, plan.exact), prefix: this.#named(name, plan.prefix), chain: [] };
    const id = this.#chainIds.get(claim) ?? `o${++this.#lastChain}`;
    this.#chainIds.set(claim, id);
    return {
      exact: new Map(),
      prefix: new Map([[`${name}/`, id]]),
      chain: this.#chainLines(id, plan.chain),
    };
  }

  #chainLines(id: string, chain: readonly TableRoute[]): readonly string[] {
    return chainLines(id, chain, (route) =>
      this.#isSilent(route) ? undefined : this.#options.backendOf(route.id),
    );
  }

  #isSilent({ declared }: TableRoute): boolean {
    return this.#silent.has(declared);
  }

  #named(host: string, plan: ReadonlyMap<string, TableRoute>): ReadonlyMap<string, string> {
    return new Map(
      [...plan].flatMap(([path, route]) => {
        const backend = this.#options.backendOf(route.id);
        return backend === undefined ? [] : [[`${host}${path}`, backend] as const];
      }),
    );
  }
}

/** Ids of apps have slashes, which end hosts here (`hostLines` in public-lines.ts). */
function mapped(host: string): string {
  return host.replaceAll('/', '!');
}
