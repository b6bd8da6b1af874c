import type { App } from '../core/model/app.ts';
import { isPod, networkNames } from '../core/model/app.ts';
import type { Groups } from '../core/model/dependencies.ts';
import type { DeploymentStep } from '../core/model/deployment.ts';
import type { AppId, Version } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { versionKey } from '../core/state/tables.ts';
import { checkRoot } from './check-root.ts';
import type { ApiDependencies, ApiOptions, Posted, Root, RootMutation, WantedRoot } from './dependencies.ts';
import type { AppDraft } from './marathon/normalise.ts';
import type { Parsed } from './marathon/parse-json.ts';
import { assignServicePorts, PortBook } from './marathon/service-ports.ts';
import { locked, NotFound, Problem, tooMany } from './problem.ts';
import { checkResidentChange } from './resident-change.ts';
import { withRole } from './roles.ts';
import { historyWrites } from './root-history.ts';
import { versionOf } from './version-text.ts';
import { warningsOf } from './warnings.ts';

export type ApplyOptions = {
  /** Deployments that hold the apps are cancelled. */
  readonly force: boolean;
  /** Apps whose being put is told as an event, and by whom. */
  readonly posted?: Posted;
};

export type Accepted = {
  readonly deploymentId: string;
  readonly version: Version;
  /** Of the apps that were put, what is not acted on: values of the header `Warning`. */
  readonly warnings: readonly string[];
};

/** Gives the root's new apps, or throws a Problem: evaluated under the root's lock, so it sees what will be changed. */
export type Change = (root: Root, version: Version) => WantedRoot;

/** Every way the API changes apps goes through here: what is refused leaves nothing behind. */
export class AppChanges {
  readonly #dependencies: ApiDependencies;
  readonly #options: ApiOptions;

  constructor(dependencies: ApiDependencies, options: ApiOptions) {
    this.#dependencies = dependencies;
    this.#options = options;
  }

  /** Throws Problem: the change's own, 409 when deployments hold the apps, 403 when there are too many of them. */
  async apply(change: Change, { force, posted }: ApplyOptions): Promise<Accepted> {
    const result = await this.#dependencies.scheduler.update<Problem>(
      (root, version) => this.#attempt(change, { root, version, ...(posted && { posted }) }),
      force,
    );
    if (result.kind === 'refused') throw result.refusal;
    if (result.kind === 'locked') throw locked(result.deployments);
    if (result.kind === 'full') throw tooMany(result.limit);
    const stored = this.#dependencies.database.snapshot.table('apps');
    const put = (posted?.apps ?? []).flatMap((id) => stored.get(id) ?? []);
    return { ...result, warnings: warningsOf(put) };
  }

  /** The steps that the change would take. Throws Problem, the change's own. */
  async preview(change: Change): Promise<readonly DeploymentStep[]> {
    const result = await this.#dependencies.scheduler.preview<Problem>((root, version) =>
      this.#attempt(change, { root, version }),
    );
    if (result.kind === 'refused') throw result.refusal;
    return result.steps;
  }

  /** The root with drafts put in, service ports assigned and networks checked. */
  put(root: Root, drafts: readonly AppDraft[], version: Version): WantedRoot {
    const after = new Map(root);
    const ports = new PortBook(after.values());
    for (const draft of drafts)
      after.set(draft.id, this.#complete(draft, after.get(draft.id), { ports, version }));
    return { after };
  }

  #attempt(
    change: Change,
    { root, version, ...posted }: { root: Root; version: Version; posted?: Posted },
  ): RootMutation<Problem> {
    const { snapshot } = this.#dependencies.database;
    try {
      const wanted = withGroups(root, change(root, version), snapshot);
      const alongside = historyWrites(snapshot, { before: root, ...wanted }, version);
      return { kind: 'change', wanted: { ...wanted, alongside }, ...posted };
    } catch (error) {
      if (error instanceof Problem) return { kind: 'refused', refusal: error };
      throw error;
    }
  }

  /** A stored definition of an app, or 404 in Marathon's words. */
  version(id: AppId, version: Version): App {
    const app = this.#dependencies.database.snapshot
      .table('versions')
      .get(versionKey(id, versionOf(version)));
    if (app === undefined || isPod(app))
      throw new NotFound(`App '${id}' does not exist in version ${version}`);
    return app;
  }

  #complete(
    draft: AppDraft,
    previous: App | undefined,
    { ports, version }: { ports: PortBook; version: Version },
  ): App {
    checkKind(draft, previous);
    this.#checkNetworks(draft);
    if (previous !== undefined) ports.remove(previous);
    const range = this.#options.servicePorts;
    const complete = assignServicePorts(draft, { previous, taken: ports.taken, range });
    if (complete === undefined) {
      throw new Problem(503, {
        message: `All ports in the range [${range.begin}-${range.end}) are already in use`,
      });
    }
    if (previous !== undefined) checkResidentChange(complete, previous);
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

/** Headers of the answer to an accepted change. */
export function acceptedHeaders({ deploymentId, warnings }: Accepted): Record<string, string | string[]> {
  return {
    'marathon-deployment-id': deploymentId,
    ...(warnings.length === 0 ? {} : { warning: [...warnings] }),
  };
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

/** A pod never becomes an app, nor the reverse (§5.6). */
function checkKind(draft: AppDraft, previous: App | undefined): void {
  if (previous === undefined || isPod(previous) === isPod(draft)) return;
  const error = 'Applications and Pods may not share the same id';
  throw new Problem(422, { message: 'Object is not valid', details: [{ path: '/', errors: [error] }] });
}

/** The draft, or its Problem thrown. */
export function required<T>(parsed: Parsed<T>): T {
  if (!parsed.ok) throw new Problem(parsed.status, parsed.body);
  return parsed.value;
}

/**
 * The same with its groups: those it names, or those that were, without empty ones whose id an app takes (§3.2); and with
 * the roles that groups enforce.
 */
function withGroups(
  root: Root,
  wanted: WantedRoot,
  snapshot: Snapshot,
): WantedRoot & { readonly groups: Groups } {
  const before = wanted.groups ?? snapshot.table('groups');
  const changed = [...wanted.after.keys()].filter((id) => wanted.after.get(id) !== root.get(id));
  const groups = new Map(before);
  for (const id of changed) groups.delete(id);
  const after = new Map(wanted.after);
  for (const app of changed.flatMap((id) => after.get(id) ?? [])) after.set(app.id, withRole(app, groups));
  checkRoot(after, changed, groups);
  return { ...wanted, after, groups };
}
