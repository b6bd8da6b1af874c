import type { AppId } from '../model/ids.ts';
import { claimOf, type Route } from '../model/route.ts';

/** Which team a host (of a table: `claimOf`) belongs to; stored only while several claim it, so that a new leader decides as the last one did. */
export type HostRecord = { readonly host: string; readonly team: string };

/** A route that is not in force because its host is another team's. */
export type RefusedClaim = { readonly route: Route; readonly holder: Route };

/** Apps of one top-level group are a team's; so are all that are in no group. */
export function teamOf(app: AppId): string {
  const [, group = '', ...rest] = app.split('/');
  return rest.length === 0 ? '/' : `/${group}`;
}

/**
 * Whose routes of a host are in force: those of the team that claimed it first, as long as it has any. Who claims a host later gets
 * none of it, not even a path that the first has no route for.
 */
export class HostClaims {
  readonly #declared = new Map<string, Route>();
  readonly #idsOf = new Map<string, Set<string>>();
  readonly #teams = new Map<string, string>();
  readonly #contested = new Set<string>();

  /** Takes declared routes by id (undefined: it is gone); gives, for these and all others of their hosts, what is in force. */
  change(
    routes: ReadonlyMap<string, Route | undefined>,
    kept: (host: string) => string | undefined,
  ): ReadonlyMap<string, Route | undefined> {
    const hosts = new Set<string>();
    const granted = new Map<string, Route | undefined>();
    for (const [id, route] of routes) {
      for (const one of [this.#forget(id), route].filter((other) => other !== undefined))
        hosts.add(claimOf(one));
      if (route !== undefined) this.#add(route);
      else granted.set(id, undefined);
    }
    for (const host of hosts) this.#settle(host, kept(host), granted);
    return granted;
  }

  clear(): void {
    for (const index of [this.#declared, this.#idsOf, this.#teams, this.#contested]) index.clear();
  }

  /** Hosts that several teams claim, with the one that has it. */
  get contested(): ReadonlyMap<string, string> {
    return new Map([...this.#contested].map((host) => [host, this.#teams.get(host) ?? '']));
  }

  get refused(): readonly RefusedClaim[] {
    return [...this.#contested].flatMap((host) => {
      const routes = this.#routesOf(host);
      const holder = this.holder(host);
      if (holder === undefined) return [];
      return routes.filter((route) => !this.#isGranted(route)).map((route) => ({ route, holder }));
    });
  }

  /** A route of the team that has the host (`claimOf`); undefined when nobody claims it. */
  holder(host: string): Route | undefined {
    return this.#routesOf(host).find((route) => this.#isGranted(route));
  }

  #isGranted(route: Route): boolean {
    return teamOf(route.service.appId) === this.#teams.get(claimOf(route));
  }

  #routesOf(host: string): readonly Route[] {
    return [...(this.#idsOf.get(host) ?? [])].flatMap((id) => this.#declared.get(id) ?? []);
  }

  #settle(host: string, kept: string | undefined, granted: Map<string, Route | undefined>): void {
    const routes = this.#routesOf(host);
    const teams = [...new Set(routes.map((route) => teamOf(route.service.appId)))].sort();
    const wanted = [this.#teams.get(host), kept, teams[0]].find(
      (team) => team !== undefined && teams.includes(team),
    );
    if (wanted === undefined) this.#teams.delete(host);
    else this.#teams.set(host, wanted);
    if (teams.length > 1) this.#contested.add(host);
    else this.#contested.delete(host);
    for (const route of routes) granted.set(route.id, this.#isGranted(route) ? route : undefined);
  }

  #forget(id: string): Route | undefined {
    const route = this.#declared.get(id);
    if (route === undefined) return undefined;
    this.#declared.delete(id);
    const ids = this.#idsOf.get(claimOf(route));
    ids?.delete(id);
    if (ids?.size === 0) this.#idsOf.delete(claimOf(route));
    return route;
  }

  #add(route: Route): void {
    this.#declared.set(route.id, route);
    const ids = this.#idsOf.get(claimOf(route)) ?? new Set();
    this.#idsOf.set(claimOf(route), ids.add(route.id));
  }
}
