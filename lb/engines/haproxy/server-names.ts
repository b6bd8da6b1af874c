import { pathFits } from '../../edge/routes/host-routes.ts';
import type { RouteTable } from '../../edge/routes/route-table.ts';
import type { TableRoute } from '../../edge/routes/table-route.ts';
import { mapCommands, mapText } from './map-commands.ts';
import type { PathsOptions } from './paths.ts';
import { partsOf } from './scopes.ts';
import { owns, type View } from './view.ts';

/** How connections that are not HTTP find their backends: by the server name they ask for, which is `*` where none is said. */
export class ServerNames {
  readonly #options: PathsOptions;
  readonly #entries = new Map<string, ReadonlyMap<string, string>>();

  constructor(options: PathsOptions) {
    this.#options = options;
  }

  follow(view: View, claims: readonly string[]): readonly string[] {
    return claims.flatMap((claim) => {
      const before = this.#entries.get(claim) ?? new Map<string, string>();
      const after = this.#entriesOf(view, claim);
      if (after.size === 0) this.#entries.delete(claim);
      else this.#entries.set(claim, after);
      return mapCommands('streams', before, after);
    });
  }

  rendered(): string {
    return [...this.#entries.values()].map((entries) => mapText(entries)).join('');
  }

  #entriesOf(view: View, claim: string): ReadonlyMap<string, string> {
    const route = owns(view, claim) ? targetOf(view.table, claim) : undefined;
    const backend = route && this.#options.backendOf(route.id);
    if (backend === undefined) return new Map();
    const { scope, host } = partsOf(claim);
    return new Map([[`${this.#options.nameOf(scope)}${host}`, backend]]);
  }
}

/** Only the name is known of a connection: its conditions are not asked (lb/edge/l4/stream-route.ts). */
function targetOf({ hosts }: RouteTable, claim: string): TableRoute | undefined {
  return hosts.get(claim)?.routes.find((route) => pathFits(route, '/'));
}
