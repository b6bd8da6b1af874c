import { serviceKey, targetKey, type VipService, type VipTable, type VipTarget } from './table.ts';

/** One service that must change in the data plane. */
export type VipChange =
  | { readonly type: 'add'; readonly service: VipService }
  | { readonly type: 'remove'; readonly service: VipService }
  | {
      readonly type: 'change';
      readonly service: VipService;
      readonly before: VipService;
      /** Backends that take no new connections any more. */
      readonly gone: readonly VipTarget[];
    };

/** What turns `before` into `after`, removals first. Services that are identical values are not looked into. */
export function decide(before: VipTable, after: VipTable): readonly VipChange[] {
  if (before.services === after.services) return [];
  const changes: VipChange[] = [];
  if (sameKeys(before, after, changes)) return changes;
  changes.length = 0;
  for (const [key, service] of before.services) {
    if (!after.services.has(key)) changes.push({ type: 'remove', service });
  }
  for (const [key, service] of after.services) {
    const old = before.services.get(key);
    if (old === service) continue;
    if (old === undefined) changes.push({ type: 'add', service });
    else if (!isSame(old, service)) changes.push(changed(old, service));
  }
  return changes;
}

/**
 * The change that comes often: backends of some services among thousands. The keys come in one order then, and nothing is
 * looked up by key. False: they do not, and what was found counts for nothing.
 */
function sameKeys(before: VipTable, after: VipTable, changes: VipChange[]): boolean {
  if (before.services.size !== after.services.size) return false;
  const others = before.services.entries();
  for (const [key, service] of after.services) {
    const [otherKey, old] = others.next().value!;
    if (otherKey !== key) return false;
    if (old !== service && !isSame(old, service)) changes.push(changed(old, service));
  }
  return true;
}

/** The services after `changes`; the meaning of a change, for tests and for simple backends. */
export function applied(
  services: ReadonlyMap<string, VipService>,
  changes: readonly VipChange[],
): ReadonlyMap<string, VipService> {
  const next = new Map(services);
  for (const change of changes) {
    if (change.type === 'remove') next.delete(serviceKey(change.service));
    else next.set(serviceKey(change.service), change.service);
  }
  return next;
}

function changed(before: VipService, service: VipService): VipChange {
  const present = new Set(service.backends.map((target) => targetKey(service.protocol, target)));
  const gone = before.backends.filter((target) => !present.has(targetKey(before.protocol, target)));
  return { type: 'change', service, before, gone };
}

function isSame(a: VipService, b: VipService): boolean {
  return (
    a.balance === b.balance &&
    a.affinitySeconds === b.affinitySeconds &&
    a.backends.length === b.backends.length &&
    a.backends.every((target, i) => {
      const other = b.backends[i]!;
      return (
        target.address === other.address &&
        target.port === other.port &&
        target.weight === other.weight &&
        target.instanceId === other.instanceId
      );
    })
  );
}
