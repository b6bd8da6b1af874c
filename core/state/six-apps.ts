import type { Endpoint } from '../model/directory.ts';
import type { AppId, InstanceId } from '../model/ids.ts';

/** Which apps have an instance with an IPv6 address: a VIP has one of that family only then (vip.md §5). */
export class SixApps {
  readonly #counts = new Map<AppId, number>();

  has(app: AppId): boolean {
    return this.#counts.has(app);
  }

  clear(): void {
    this.#counts.clear();
  }

  /** Follows a change of endpoints; gives the apps for which the answer is another now. */
  follow(
    before: ReadonlyMap<InstanceId, Endpoint>,
    { set, gone }: { readonly set: readonly Endpoint[]; readonly gone: readonly InstanceId[] },
  ): ReadonlySet<AppId> {
    const touched = new Map<AppId, boolean>();
    const count = (endpoint: Endpoint | undefined, by: number): void => {
      if (endpoint === undefined || !endpoint.addresses.some(({ ip }) => ip.includes(':'))) return;
      const { appId } = endpoint;
      if (!touched.has(appId)) touched.set(appId, this.has(appId));
      const next = (this.#counts.get(appId) ?? 0) + by;
      if (next > 0) this.#counts.set(appId, next);
      else this.#counts.delete(appId);
    };
    for (const id of [...gone, ...set.map(({ instanceId }) => instanceId)]) count(before.get(id), -1);
    for (const endpoint of set) count(endpoint, 1);
    return new Set([...touched].filter(([app, had]) => had !== this.has(app)).map(([app]) => app));
  }
}
