import type { RequestCount } from '../engine.ts';

/** What the data path counts. Plain numbers: adding to one must cost nothing. */
export class Counters {
  openConnections = 0;
  connectFailures = 0;
  retries = 0;
  ejections = 0;
  refused = 0;
  /** Per route, the answers by the first digit of their status. */
  readonly #byRoute = new Map<string, number[]>();

  answered(route: string, status: number): void {
    let classes = this.#byRoute.get(route);
    if (classes === undefined) {
      classes = [0, 0, 0, 0, 0, 0];
      this.#byRoute.set(route, classes);
    }
    const index = Math.min(5, Math.floor(status / 100));
    classes[index] = classes[index]! + 1;
  }

  requests(): RequestCount[] {
    return [...this.#byRoute].flatMap(([route, classes]) =>
      classes.flatMap((count, digit) => (count === 0 ? [] : [{ route, codeClass: `${digit}xx`, count }])),
    );
  }

  /** Forgets routes that are gone, so that the numbers stay bounded by the routes there are. */
  keepOnly(routes: ReadonlySet<string>): void {
    for (const route of this.#byRoute.keys()) {
      if (route !== 'none' && !routes.has(route)) this.#byRoute.delete(route);
    }
  }
}
