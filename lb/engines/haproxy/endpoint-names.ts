import { endpointName, type RouteTable } from '../../edge/route-table.ts';
import { serverName } from './slots.ts';

type Known = { readonly instance: string; readonly name: string };

/** Who a server is, by its name; also of those that have left and may still be at work. */
export class EndpointNames {
  readonly #known = new Map<string, Known>();

  follow(before: RouteTable, after: RouteTable): void {
    for (const key of before.pools.differences(after.pools))
      for (const endpoint of after.pools.get(key)?.endpoints ?? []) {
        const server = serverName(endpoint);
        // The latest are last.
        this.#known.delete(server);
        this.#known.set(server, { instance: endpoint.instanceId, name: endpointName(endpoint) });
      }
    const least = 2 * [...after.pools.values()].reduce((sum, { endpoints }) => sum + endpoints.length, 0);
    this.#forget(least + mostGone);
  }

  instanceOf(server: string): string | undefined {
    return this.#known.get(server)?.instance;
  }

  nameOf(server: string): string | undefined {
    return this.#known.get(server)?.name;
  }

  #forget(most: number): void {
    for (const server of this.#known.keys()) {
      if (this.#known.size <= most) return;
      this.#known.delete(server);
    }
  }
}

const mostGone = 10_000;
