import type { App } from '../core/model/app.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import { renderApp } from './marathon/render-app.ts';
import { type Asked, deploymentsOf, embedded } from './views.ts';

/** Definitions as JSON text, made once for each version of an app: lists of many apps are mostly made of them. */
export class AppTexts {
  readonly #texts = new WeakMap<App, string>();

  /** A JSON list of AppInfo (Marathon §3.1). */
  list(snapshot: Snapshot, apps: readonly App[], asked: Asked): string {
    const deployments = deploymentsOf(snapshot);
    const texts = apps.map((app) =>
      joined(this.#of(app), JSON.stringify(embedded(snapshot, app.id, { ...asked, deployments }))),
    );
    return `[${texts.join(',')}]`;
  }

  #of(app: App): string {
    const known = this.#texts.get(app);
    if (known !== undefined) return known;
    const text = JSON.stringify(renderApp(app));
    this.#texts.set(app, text);
    return text;
  }
}

/** Two JSON objects as one. The first has fields. */
function joined(first: string, second: string): string {
  return second === '{}' ? first : `${first.slice(0, -1)},${second.slice(1)}`;
}
