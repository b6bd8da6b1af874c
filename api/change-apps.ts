import type { App } from '../core/model/app.ts';
import { networkNames } from '../core/model/app.ts';
import type { AppId, Version } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import { versionKey } from '../core/state/tables.ts';
import type { ApiDependencies, ApiOptions, Root, RootMutation, WantedRoot } from './dependencies.ts';
import type { AppDraft } from './marathon/normalise.ts';
import type { Parsed } from './marathon/parse-app.ts';
import { assignServicePorts, servicePorts } from './marathon/service-ports.ts';
import { locked, NotFound, Problem } from './problem.ts';

export type Accepted = { readonly deploymentId: string; readonly version: Version };

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

  /** Throws Problem: the change's own, or 409 when deployments hold the apps. */
  async apply(change: Change, force: boolean): Promise<Accepted> {
    const result = await this.#dependencies.scheduler.update<Problem>(
      (root, version) => attempt(change, root, version),
      force,
    );
    if (result.kind === 'refused') throw result.refusal;
    if (result.kind === 'locked') throw locked(result.deployments);
    return result;
  }

  /** The root with drafts put in, service ports assigned and networks checked. */
  put(root: Root, drafts: readonly AppDraft[], version: Version): WantedRoot {
    const after = new Map(root);
    for (const draft of drafts) after.set(draft.id, this.#complete(draft, after, version));
    checkDependencies(after);
    return { after };
  }

  /** A stored definition, or 404 in Marathon's words. */
  version(id: AppId, version: Version): App {
    const app = this.#dependencies.database.snapshot.table('versions').get(versionKey(id, version));
    if (app === undefined) throw new NotFound(`App '${id}' does not exist in version ${version}`);
    return app;
  }

  #complete(draft: AppDraft, root: Root, version: Version): App {
    this.#checkNetworks(draft);
    const previous = root.get(draft.id);
    const others = [...root.values()].filter((app) => app.id !== draft.id);
    const taken = new Set(others.flatMap(servicePorts));
    const range = this.#options.servicePorts;
    const complete = assignServicePorts(draft, { previous, taken, range });
    if (complete === undefined) {
      throw new Problem(503, {
        message: `All ports in the range [${range.begin}-${range.end}) are already in use`,
      });
    }
    return {
      ...complete,
      version,
      versionInfo: previous?.versionInfo ?? { lastScalingAt: version, lastConfigChangeAt: version },
    };
  }

  #checkNetworks(draft: AppDraft): void {
    const known = this.#dependencies.database.snapshot.table('networks');
    const unknown = networkNames({
      ...draft,
      version: '',
      versionInfo: { lastScalingAt: '', lastConfigChangeAt: '' },
    }).find((name) => !known.has(name));
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

/** §5.6. Dependencies may name what does not exist; a cycle could never be started. */
function checkDependencies(root: Root): void {
  const done = new Set<AppId>();
  const visit = (id: AppId, path: readonly AppId[]): void => {
    if (path.includes(id)) {
      const details = [{ path: '/', errors: ['Dependency graph has cyclic dependencies.'] }];
      throw new Problem(422, { message: 'Object is not valid', details });
    }
    const app = root.get(id);
    if (app === undefined || done.has(id)) return;
    for (const dependency of app.dependencies)
      for (const other of named(dependency, root)) visit(other, [...path, id]);
    done.add(id);
  };
  for (const id of root.keys()) visit(id, []);
}

function named(dependency: string, root: Root): readonly AppId[] {
  if (root.has(dependency)) return [dependency];
  const prefix = dependency.endsWith('/') ? dependency : `${dependency}/`;
  return [...root.keys()].filter((id) => id.startsWith(prefix));
}
