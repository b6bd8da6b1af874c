import type { App } from '../core/model/app.ts';
import type { AppId } from '../core/model/ids.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { renderApp } from './marathon/render-app.ts';
import { type Asked, type DeploymentRef, deploymentsOf, embedded } from './views.ts';

/** Sets of embeds of which an app's text is kept: clients that poll ask for the same again and again. */
const keptEmbeds = 3;

/** What a text was made from, and the text. */
type Kept = { readonly changedAt: number; readonly deployments: string; readonly text: string };

type Known = { readonly definition: string; readonly infos: Map<string, Kept> };

/** AppInfo (Marathon §3.1) as JSON text, made anew only when something of the app has changed. */
export class AppTexts {
  readonly #known = new WeakMap<App, Known>();

  /** The texts of a list, one by one; each is of the moment it is taken. */
  *list(snapshot: Snapshot, apps: readonly App[], asked: Asked): Iterable<string> {
    const text = this.view(snapshot, asked);
    yield '[';
    for (const [index, app] of apps.entries()) yield index === 0 ? text(app) : `,${text(app)}`;
    yield ']';
  }

  /** Gives the text of any app. Deployments are those of now. */
  view(snapshot: Snapshot, asked: Asked): (app: App) => string {
    const deployments = deploymentsOf(snapshot);
    const key = [...asked.embeds].sort().join();
    return (app) => this.#info(app, key, { snapshot, asked, deployments });
  }

  #info(app: App, key: string, facts: Facts): string {
    const { definition, infos } = this.#of(app);
    const { snapshot, asked } = facts;
    const deployments = (facts.deployments.get(app.id) ?? []).map(({ id }) => id).join();
    const changedAt = snapshot.changedAt(app.id);
    const kept = infos.get(key);
    if (kept?.changedAt === changedAt && kept.deployments === deployments) return kept.text;
    const text = joined(
      definition,
      JSON.stringify(embedded(snapshot, app.id, { ...asked, deployments: facts.deployments })),
    );
    // Ages change by themselves.
    if (asked.embeds.has('taskStats')) return text;
    if (!infos.has(key) && infos.size >= keptEmbeds) infos.clear();
    infos.set(key, { changedAt, deployments, text });
    return text;
  }

  #of(app: App): Known {
    const known = this.#known.get(app);
    if (known !== undefined) return known;
    const made = { definition: JSON.stringify(renderApp(app)), infos: new Map() };
    this.#known.set(app, made);
    return made;
  }
}

type Facts = {
  readonly snapshot: Snapshot;
  readonly asked: Asked;
  readonly deployments: ReadonlyMap<AppId, readonly DeploymentRef[]>;
};

/** Two JSON objects as one. The first has fields. */
function joined(first: string, second: string): string {
  return second === '{}' ? first : `${first.slice(0, -1)},${second.slice(1)}`;
}
