import type { App } from '../model/app.ts';
import type { AppId } from '../model/ids.ts';
import { portsOf } from '../model/ports.ts';
import type { ServiceRef } from '../model/route.ts';
import type { AppSwap, ServerSet } from '../model/server-set.ts';
import { teamOf } from './host-claims.ts';

/** Apps of one deployment group, which marathon-lb takes for one app of the group's name (ingress.md B2, C1). */
export type Pair = {
  /** `/group`. */
  readonly id: AppId;
  /** Its labels and ports count: those of the older one. */
  readonly app: App;
  readonly sets: readonly ServerSet[];
  service(portIndex: number): ServiceRef;
};

/** The name of an app's deployment group; undefined: it is in none. */
export function pairOf({ labels }: Pick<App, 'labels'>): AppId | undefined {
  const name = labels['HAPROXY_DEPLOYMENT_GROUP']?.trim();
  if (name === undefined || name === '') return undefined;
  return name.startsWith('/') ? name : `/${name}`;
}

/** `members`: at least one. */
export function pairUp(id: AppId, members: readonly App[]): Pair | undefined {
  const byAge = members.toSorted((a, b) => startOf(a) - startOf(b) || (a.id < b.id ? 1 : -1));
  const [first, last] = [byAge[0], byAge.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const team = teamOf(first.id);
  const name = id.slice(1).replaceAll('/', '_');
  const keyOf = (index: number) => `pair:${team === '/' ? '' : team}/${name}:${index}`;
  const swap = byAge.length > 1 ? swapOf(first, last) : undefined;
  const sets = portsOf(first).map(
    ({ index }): ServerSet => ({
      key: keyOf(index),
      sources: byAge.map((app) => ({ appId: app.id, ports: { by: 'index', index }, via: 'auto' })),
      naming: 'machine',
      ...(swap && { swap }),
    }),
  );
  return { id, app: first, sets, service: (index) => ({ appId: keyOf(index), portIndex: 0 }) };
}

/**
 * The one that was begun later takes the other's place. Of a hybrid, which both are to be in, the one that was scaled last does: that
 * is how the tool goes on or back from there.
 */
function swapOf(first: App, last: App): AppSwap {
  const isHybrid = numberOf(last, 'NEW_INSTANCES', 0) > 0;
  const isBack = isHybrid && first.versionInfo.lastScalingAt > last.versionInfo.lastScalingAt;
  const [old, next] = isBack ? [last, first] : [first, last];
  // Without this label the tool is older than the other one, and all may go as soon as one is there.
  const isCounted = next.labels['HAPROXY_DEPLOYMENT_NEW_INSTANCES'] !== undefined;
  const target = isCounted ? numberOf(next, 'TARGET_INSTANCES', next.instances) : 1;
  return { old: old.id, oldInstances: old.instances, new: next.id, target };
}

function numberOf({ labels }: App, name: string, otherwise: number): number {
  const text = labels[`HAPROXY_DEPLOYMENT_${name}`] ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) : otherwise;
}

/** An app that no tool began is older than any that one did. */
function startOf({ labels }: App): number {
  const time = Date.parse(labels['HAPROXY_DEPLOYMENT_STARTED_AT'] ?? '');
  return Number.isNaN(time) ? 0 : time;
}
