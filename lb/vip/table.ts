import { isIPv4, isIPv6 } from 'node:net';
import type { Directory, Vip } from '../../core/model/directory.ts';
import { placeKey } from '../../core/model/failing.ts';
import type { InstanceId } from '../../core/model/ids.ts';
import { vipBackends } from '../../core/model/vip-backends.ts';
import type { VipBalance } from '../../core/model/vip-policy.ts';

/** Where a new connection to a VIP may go. */
export type VipTarget = {
  readonly instanceId: InstanceId;
  readonly address: string;
  readonly port: number;
  /** Share of new connections, from 1; default 1. */
  readonly weight?: number;
};

/** One virtual address and port. No backends: it exists and every connection is refused at once. */
export type VipService = {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** Ordered by address and port, each once. */
  readonly backends: readonly VipTarget[];
  /** How one is chosen; default `random`. */
  readonly balance?: VipBalance;
  /** A client's new connections go where its last one went, until so long has passed without any, s. */
  readonly affinitySeconds?: number;
};

/** Why a service, or part of one, is not served. `key` as in `VipTable.services`. */
export type VipProblem = { readonly key: string; readonly reason: string };

/** Everything a backend must serve; keys are `<proto>:<address>:<port>`. A value: never changed, only replaced. */
export type VipTable = {
  readonly services: ReadonlyMap<string, VipService>;
  readonly problems: readonly VipProblem[];
};

export const emptyTable: VipTable = { services: new Map(), problems: [] };

export function serviceKey(service: Pick<VipService, 'protocol' | 'address' | 'port'>): string {
  return `${service.protocol}:${service.address}:${service.port}`;
}

/** Names a backend over all services: `<proto>:<address>:<port>`. */
export const targetKey = placeKey;

export type Derived = { readonly directory: Directory; readonly table: VipTable };

/**
 * The table of a Directory. A service that cannot have changed since `before` is the identical value, so that whoever
 * compares two tables looks only at what changed.
 */
export function vipTable(directory: Directory, before?: Derived): VipTable {
  if (before !== undefined && sameVips(before.directory, directory)) return followed(directory, before);
  const vips = [...directory.vips.values()];
  const foreign = foreignAddresses(directory);
  const problems = vips.flatMap((vip) => {
    const reason = faultOf(vip, foreign);
    return reason === undefined ? [] : [{ key: serviceKey(vip), reason }];
  });
  const refused = new Set(problems.map((problem) => problem.key));
  const groups = Map.groupBy(vips, serviceKey);
  const left = before === undefined ? new Set<string>() : changedKeys(before.directory, directory);
  const services = new Map<string, VipService>();
  for (const [key, group] of groups) {
    if (refused.has(key)) continue;
    const old = left.has(key) ? undefined : kept(key, group, directory, before);
    services.set(key, old ?? service(group, directory));
  }
  return { services, problems };
}

/** Only endpoints came and went, which is the change that comes often: most services are not even looked up by key. */
function followed(directory: Directory, before: Derived): VipTable {
  const vips = [...directory.vips.values()];
  const touched = new Set(
    vips.filter((vip) => !sameEndpoints(vip, before.directory, directory)).map(serviceKey),
  );
  if (touched.size === 0) return before.table;
  const services = new Map(before.table.services);
  const members = vips.filter((vip) => touched.has(serviceKey(vip)));
  const groups = Map.groupBy(members, serviceKey);
  for (const key of touched) if (services.has(key)) services.set(key, service(groups.get(key)!, directory));
  return { services, problems: before.table.problems };
}

function sameVips(before: Directory, after: Directory): boolean {
  return before.vips === after.vips && before.agents === after.agents;
}

function sameEndpoints(vip: Vip, before: Directory, after: Directory): boolean {
  return vip.services.every(({ appId }) => before.byApp.get(appId) === after.byApp.get(appId));
}

/** Two VIPs may meet in one address and port (literal addresses are shared on purpose): they share their backends. */
function service(group: readonly Vip[], directory: Directory): VipService {
  const { protocol, address, port } = group[0]!;
  const balance = group.find((vip) => vip.balance !== undefined)?.balance;
  const affinitySeconds = group.find((vip) => vip.affinitySeconds !== undefined)?.affinitySeconds;
  const family = isIPv6(address);
  const services = group.flatMap((vip) => vip.services);
  const each = new Map(
    vipBackends(directory, services)
      .filter((backend) => backend.weight > 0 && isIPv6(backend.address) === family)
      .map((backend) => [targetKey(protocol, backend), backend]),
  );
  const backends = [...each.keys()].sort().map((key) => {
    const { instanceId, address, port, weight } = each.get(key)!;
    return { instanceId, address, port, ...(weight === 1 ? {} : { weight }) };
  });
  return {
    protocol,
    address,
    port,
    backends,
    ...(balance === undefined ? {} : { balance }),
    ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
  };
}

/** The service as it was, if the endpoints of its apps are the same values as before. */
function kept(
  key: string,
  group: readonly Vip[],
  directory: Directory,
  before: Derived | undefined,
): VipService | undefined {
  if (before === undefined) return undefined;
  const same = group.every((vip) => sameEndpoints(vip, before.directory, directory));
  return same ? before.table.services.get(key) : undefined;
}

/** Keys of services whose VIPs came, went or were redefined. */
function changedKeys(before: Directory, after: Directory): ReadonlySet<string> {
  const keys = new Set<string>();
  if (before.vips === after.vips) return keys;
  for (const [key, vip] of before.vips) if (after.vips.get(key) !== vip) keys.add(serviceKey(vip));
  for (const [key, vip] of after.vips) if (before.vips.get(key) !== vip) keys.add(serviceKey(vip));
  return keys;
}

/** Addresses of machines: taking one over as a VIP would cut the machine off. */
function foreignAddresses(directory: Directory): ReadonlySet<string> {
  return new Set([...directory.agents.values()].map((agent) => agent.address));
}

function faultOf(vip: Vip, foreign: ReadonlySet<string>): string | undefined {
  if (foreign.has(vip.address)) return `Cannot serve ${vip.key}: ${vip.address} is the address of an agent`;
  if (isIPv6(vip.address)) return undefined;
  const first = Number(vip.address.split('.')[0]);
  if (isIPv4(vip.address) && first > 0 && first < 224) return undefined;
  return `Cannot serve ${vip.key}: ${vip.address} is no address that one machine can have`;
}
