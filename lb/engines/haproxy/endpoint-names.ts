import { isIP } from 'node:net';
import { endpointName, type PoolEndpoint, type RouteTable } from '../../edge/routes/route-table.ts';
import { serverName } from './slots.ts';

export type EndpointsChange = {
  /** Servers that are no more, by name. */
  readonly left: ReadonlySet<string>;
  /** Addresses of new ones that are names of hosts. */
  readonly hosts: ReadonlySet<string>;
};

type Known = { readonly instance: string; readonly name: string };

/** Who a server is, by its name; also of those that have left and may still be at work. */
export class EndpointNames {
  readonly #known = new Map<string, Known>();

  follow(before: RouteTable, after: RouteTable): EndpointsChange {
    const [left, hosts] = [new Set<string>(), new Set<string>()];
    const changed = before.pools.differences(after.pools);
    for (const key of changed)
      for (const endpoint of before.pools.get(key)?.endpoints ?? []) left.add(serverName(endpoint));
    for (const key of changed)
      for (const endpoint of after.pools.get(key)?.endpoints ?? []) {
        this.#note(endpoint);
        left.delete(serverName(endpoint));
        if (isIP(endpoint.address) === 0) hosts.add(endpoint.address);
      }
    this.#forget();
    return { left, hosts };
  }

  instanceOf(server: string): string | undefined {
    return this.#known.get(server)?.instance;
  }

  nameOf(server: string): string | undefined {
    return this.#known.get(server)?.name;
  }

  #note(endpoint: PoolEndpoint): void {
    const server = serverName(endpoint);
    // The latest are last.
    this.#known.delete(server);
    this.#known.set(server, { instance: endpoint.instanceId, name: endpointName(endpoint) });
  }

  #forget(): void {
    for (const server of this.#known.keys()) {
      if (this.#known.size <= mostKnown) return;
      this.#known.delete(server);
    }
  }
}

/** More than anybody has. */
const mostKnown = 200_000;
