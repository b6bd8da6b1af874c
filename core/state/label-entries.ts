import type { App } from '../model/app.ts';
import { appIdTable } from '../model/app-id-table.ts';
import type { AppId } from '../model/ids.ts';
import type { Listener } from '../model/listener.ts';
import type { ServerSet } from '../model/server-set.ts';
import { appIdListener } from './app-id-routes.ts';
import { pairOf, pairUp } from './label-pair.ts';
import { defaultLabelSettings, type LabelSettings } from './label-settings.ts';
import { type RouteLabels, readRouteLabels } from './route-labels.ts';

/** What labels of one app, or of one deployment group, said before and say now. */
export type ReadLabels = { readonly before: RouteLabels; readonly after: RouteLabels };

export type LabelChanges = {
  readonly read: readonly ReadLabels[];
  /** Undefined: it is gone. */
  readonly serverSets: ReadonlyMap<string, ServerSet | undefined>;
};

type Said = { readonly labels: RouteLabels; readonly sets: readonly ServerSet[] };

/** Keeps what the labels of marathon-lb declare; an app that changes is read again with those of its deployment group, no other is. */
export class LabelEntries {
  readonly #settings: LabelSettings;
  /** By the app's id, or the group's with `pair` in front. */
  readonly #said = new Map<string, Said>();
  readonly #pairOf = new Map<AppId, AppId>();
  readonly #members = new Map<AppId, Set<AppId>>();
  /** Of whom something is reached by its app's id. */
  readonly #byAppId = new Set<string>();

  constructor(settings: LabelSettings = defaultLabelSettings) {
    this.#settings = settings;
  }

  clear(): void {
    for (const index of [this.#said, this.#pairOf, this.#members, this.#byAppId]) index.clear();
  }

  /** Where apps are reached by their ids; undefined: none is. */
  get appIdListener(): Listener | undefined {
    const { appIdPort } = this.#settings;
    return appIdPort === undefined || this.#byAppId.size === 0 ? undefined : appIdListener(appIdPort);
  }

  change(apps: ReadonlyMap<AppId, App>, touched: ReadonlySet<AppId>): LabelChanges {
    const read: ReadLabels[] = [];
    const serverSets = new Map<string, ServerSet | undefined>();
    const pairs = new Set<AppId>();
    const take = (key: string, said: Said | undefined) => {
      const before = this.#said.get(key);
      for (const set of before?.sets ?? []) serverSets.set(set.key, undefined);
      for (const set of said?.sets ?? []) serverSets.set(set.key, set);
      read.push({ before: before?.labels ?? nothing, after: said?.labels ?? nothing });
      if (said === undefined) this.#said.delete(key);
      else this.#said.set(key, said);
      if (said?.labels.routes.some(({ table }) => table === appIdTable)) this.#byAppId.add(key);
      else this.#byAppId.delete(key);
    };
    for (const id of touched) {
      const app = apps.get(id);
      for (const pair of this.#join(id, app && pairOf(app))) pairs.add(pair);
      const labels =
        app === undefined || pairOf(app) !== undefined ? nothing : readRouteLabels(app, this.#settings);
      take(id, isNothing(labels) ? undefined : { labels, sets: [] });
    }
    for (const id of pairs) take(`pair ${id}`, this.#pair(id, apps));
    return { read, serverSets };
  }

  /** The groups that an app leaves and joins. */
  #join(id: AppId, pair: AppId | undefined): readonly AppId[] {
    const before = this.#pairOf.get(id);
    if (before !== undefined) this.#members.get(before)?.delete(id);
    if (pair === undefined) this.#pairOf.delete(id);
    else {
      this.#pairOf.set(id, pair);
      this.#members.set(pair, (this.#members.get(pair) ?? new Set()).add(id));
    }
    return [before, pair].filter((one) => one !== undefined);
  }

  #pair(id: AppId, apps: ReadonlyMap<AppId, App>): Said | undefined {
    const members = [...(this.#members.get(id) ?? [])].flatMap((member) => apps.get(member) ?? []);
    if (members.length === 0) this.#members.delete(id);
    const pair = pairUp(id, members);
    if (pair === undefined) return undefined;
    const labels = readRouteLabels(pair.app, this.#settings, pair);
    return isNothing(labels) ? undefined : { labels, sets: pair.sets };
  }
}

const nothing: RouteLabels = { routes: [], listeners: [], faults: [] };

function isNothing({ routes, listeners }: RouteLabels): boolean {
  return routes.length + listeners.length === 0;
}
