import { applyDelta, type Directory, type DirectoryDelta, type Endpoint } from './directory.ts';
import type { AppId, InstanceId } from './ids.ts';
import { addressesOf } from './vip-backends.ts';

/** Names a place to connect to: `<proto>:<address>:<port>`. */
export function placeKey(
  protocol: 'tcp' | 'udp',
  { address, port }: { address: string; port: number },
): string {
  return `${protocol}:${address}:${port}`;
}

/**
 * Instances at these places (`placeKey`), to which connections of this machine failed lately. Of an app none whose ready
 * instances are all like that: a try is better than nothing.
 */
export function failingInstances(
  { endpoints, byApp }: Directory,
  places: ReadonlySet<string>,
): ReadonlySet<InstanceId> {
  if (places.size === 0) return new Set();
  const failing = [...endpoints.values()].filter((endpoint) => endpoint.ready && isAt(endpoint, places));
  const counts = new Map<AppId, number>();
  for (const { appId } of failing) counts.set(appId, (counts.get(appId) ?? 0) + 1);
  const ready = (app: AppId) => (byApp.get(app) ?? []).filter((endpoint) => endpoint.ready).length;
  const spared = new Set([...counts].filter(([app, count]) => ready(app) === count).map(([app]) => app));
  return new Set(failing.filter(({ appId }) => !spared.has(appId)).map(({ instanceId }) => instanceId));
}

/** The same Directory, and what led to it, with these instances not ready; `before`: which were not until now. */
export function withFailing(
  { directory, delta }: { readonly directory: Directory; readonly delta: DirectoryDelta | undefined },
  failing: ReadonlySet<InstanceId>,
  before: ReadonlySet<InstanceId>,
): { readonly directory: Directory; readonly delta: DirectoryDelta | undefined } {
  if (failing.size === 0 && before.size === 0) return { directory, delta };
  const changed = failing.symmetricDifference(before);
  const { revision } = directory;
  const shown = applyDelta(directory, {
    from: revision,
    revision,
    endpoints: { set: [...failing].flatMap((id) => failed(directory.endpoints.get(id))), gone: [] },
  });
  if (delta === undefined) return { directory: shown, delta };
  const touched = new Set([...(delta.endpoints?.set ?? []).map(({ instanceId }) => instanceId), ...changed]);
  if (touched.size === 0) return { directory: shown, delta };
  const set = [...touched].flatMap((id) => shown.endpoints.get(id) ?? []);
  return { directory: shown, delta: { ...delta, endpoints: { set, gone: delta.endpoints?.gone ?? [] } } };
}

function failed(endpoint: Endpoint | undefined): readonly Endpoint[] {
  return endpoint === undefined ? [] : [{ ...endpoint, ready: false, failing: true }];
}

function isAt(endpoint: Endpoint, places: ReadonlySet<string>): boolean {
  return endpoint.ports.some((port) =>
    addressesOf(endpoint, port).some((address) => places.has(placeKey('tcp', { address, port: port.port }))),
  );
}
