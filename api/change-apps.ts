import type { App } from '../core/model/app.ts';
import { networkNames } from '../core/model/app.ts';
import type { AppId, Version } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { Write } from '../core/state/store.ts';
import { versionKey } from '../core/state/tables.ts';
import { checkRoot } from './check-root.ts';
import type { ApiDependencies, ApiOptions, Root, RootMutation, WantedRoot } from './dependencies.ts';
import type { AppDraft } from './marathon/normalise.ts';
import type { Parsed } from './marathon/parse-app.ts';
import { assignServicePorts, PortBook } from './marathon/service-ports.ts';
import { locked, NotFound, Problem } from './problem.ts';
import { historyWrites } from './root-history.ts';
import { Turns } from './turns.ts';

export type Accepted = { readonly deploymentId: string; readonly version: Version };

/** The root somebody wants, with the groups that are to be there though they may be empty (absent: all that were). */
export type Wanted = WantedRoot & { readonly groups?: ReadonlySet<string> };

/** Gives the root's new apps, or throws a Problem: evaluated under the root's lock, so it sees what will be changed. */
export type Change = (root: Root, version: Version) => Wanted;

/** Every way the API changes apps goes through here: what is refused leaves nothing behind. */
export class AppChanges {
  readonly #dependencies: ApiDependencies;
  readonly #options: ApiOptions;
  readonly #turns = new Turns();

  constructor(dependencies: ApiDependencies, options: ApiOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
  }

  /** Throws Problem: the change's own, or 409 when deployments hold the apps. */
  apply(change: Change, force: boolean): Promise<Accepted> {
    return this.#turns.take(async () => {
      const { scheduler, database } = this.#dependencies;
      let history: readonly Write[] = [];
      const checked: Change = (root, version) => {
        const wanted = withGroups(root, change(root, version), database.snapshot);
        history = historyWrites(database.snapshot, { before: root, ...wanted }, version);
        return wanted;
      };
      const result = await scheduler.update<Problem>(
        (root, version) => attempt(checked, root, version),
        force,
      );
      if (result.kind === 'refused') throw result.refusal;
      if (result.kind === 'locked') throw locked(result.deployments);
      await database.commit(history);
      return result;
    });
  }

  /** The root with drafts put in, service ports assigned and networks checked. */
  put(root: Root, drafts: readonly AppDraft[], version: Version): WantedRoot {
    const after = new Map(root);
    const ports = new PortBook(after.values());
    for (const draft of drafts)
      after.set(draft.id, this.#complete(draft, after.get(draft.id), { ports, version }));
    return { after };
  }

  /** A stored definition, or 404 in Marathon's words. */
  version(id: AppId, version: Version): App {
    const app = this.#dependencies.database.snapshot.table('versions').get(versionKey(id, version));
    if (app === undefined) throw new NotFound(`App '${id}' does not exist in version ${version}`);
    return app;
  }

  #complete(
    draft: AppDraft,
    previous: App | undefined,
    { ports, version }: { ports: PortBook; version: Version },
  ): App {
    this.#checkNetworks(draft);
    if (previous !== undefined) ports.remove(previous);
    const range = this.#options.servicePorts;
    const complete = assignServicePorts(draft, { previous, taken: ports.taken, range });
    if (complete === undefined) {
      throw new Problem(503, {
        message: `All ports in the range [${range.begin}-${range.end}) are already in use`,
      });
    }
    ports.add(complete);
    return {
      ...complete,
      version,
      versionInfo: previous?.versionInfo ?? { lastScalingAt: version, lastConfigChangeAt: version },
    };
  }

  #checkNetworks(draft: AppDraft): void {
    const known = this.#dependencies.database.snapshot.table('networks');
    const unknown = networkNames(draft).find((name) => !known.has(name));
    if (unknown === undefined) return;
    const error = `network '${unknown}' does not exist; known networks: ${[...known.keys()].join(', ') || 'none'}`;
    throw new Problem(422, {
      message: 'Object is not valid',
      details: [{ path: '/networks', errors: [error] }],
    });
  }
}

/** The root with each app scaled down by its instances among `placements`, which are the ones to end. */
export function minus(root: Root, placements: readonly Placement[]): WantedRoot {
  const after = new Map(root);
  for (const [id, sentenced] of Map.groupBy(placements, (placement) => placement.appId)) {
    const app = after.get(id);
    if (app === undefined) throw new NotFound(`App '${id}' does not exist`);
    after.set(id, { ...app, instances: Math.max(0, app.instances - sentenced.length) });
  }
  return { after, sentenced: placements.map((placement) => placement.instanceId) };
}

/** The draft, or its Problem thrown. */
export function required<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Problem(parsed.status, parsed.body);
  return parsed.value;
}

function attempt(change: Change, root: Root, version: Version): RootMutation<Problem> {
  try {
    return { kind: 'change', wanted: change(root, version) };
  } catch (error) {
    if (error instanceof Problem) return { kind: 'refused', refusal: error };
    throw error;
  }
}

/** The same with its groups: those it names, or those that were, without empty ones whose id an app takes (§3.2). */
function withGroups(
  root: Root,
  wanted: Wanted,
  snapshot: Snapshot,
): Wanted & { groups: ReadonlySet<string> } {
  const before = wanted.groups ?? new Set(snapshot.table('groups').keys());
  const changed = [...wanted.after.keys()].filter((id) => wanted.after.get(id) !== root.get(id));
  const groups = new Set([...before].filter((id) => !changed.includes(id)));
  checkRoot(wanted.after, changed, groups);
  return { ...wanted, groups };
}
