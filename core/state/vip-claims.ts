import { isIPv6 } from 'node:net';
import type { App } from '../model/app.ts';
import type { Vip, WeightedService } from '../model/directory.ts';
import { weirName } from '../model/name.ts';
import { type PortRequest, portsOf } from '../model/ports.ts';
import {
  legacyVipLabels,
  type VipLabelFault,
  type VipTarget,
  vipKey,
  vipLabels,
  vipName,
} from '../model/vip-label.ts';
import { vipPolicy } from '../model/vip-policy.ts';
import type { AddressRecord } from './tables.ts';

/** One app's share in a virtual address: apps that name the same VIP share it. */
export type VipClaim = Omit<Vip, 'services'> & { readonly service: WeightedService };

/** Zone of an app's own name. */
export const appZone = 'weir';
/** Zones of named VIPs (dns.md §9); the first is canonical. */
const namedZones = ['l4lb.thisdcos.directory', 'l4lb.thisdcos.global'];

/** Names that need an address before the app can be reached by them, in the form of `AddressRecord.name`. */
export function addressNames(app: App): readonly string[] {
  const named = wants(app).flatMap(({ target }) =>
    target.kind === 'name' ? [namedAddress(target.label)] : [],
  );
  const own = portsOf(app).length === 0 ? [] : [ownAddress(app)];
  return [...new Set([...own, ...named])];
}

/** Labels of an app that look like they declare or tune a VIP and do not (vip.md §2: the app is otherwise unaffected). */
export function vipFaults(app: App): readonly VipLabelFault[] {
  const ports = portsOf(app);
  const legacy = legacyVipLabels(app.labels);
  const nowhere = legacy.vips
    .filter(({ portIndex }) => ports[portIndex] === undefined)
    .map(({ portIndex, key, value }) => ({ key, value, reason: `the app has no port ${portIndex}` }));
  return [
    ...ports.flatMap(({ labels }) => [...vipLabels(labels).faults, ...vipPolicy(labels).faults]),
    ...legacy.faults,
    ...nowhere,
    ...vipPolicy(app.labels).faults,
  ];
}

/** What is hashed for the first choice of an address: the name without its zone. */
export function hashedName(addressName: string): string {
  return addressName.slice(addressName.lastIndexOf('/') + 1);
}

/** Name of the record of a name's IPv6 address, where names have those. */
export function name6(addressName: string): string {
  return `6/${addressName}`;
}

export function isName6(recordName: string): boolean {
  return recordName.startsWith('6/');
}

/** The name that a record of either family is for. */
export function nameOfRecord(recordName: string): string {
  return isName6(recordName) ? recordName.slice(2) : recordName;
}

/** The VIPs of an app, as far as they have addresses. `six`: it has backends of IPv6, so names get such addresses too. */
export function vipClaims(
  app: App,
  addresses: ReadonlyMap<string, AddressRecord>,
  six = false,
): readonly VipClaim[] {
  const addressesOf = (name: string): readonly string[] =>
    [name, ...(six ? [name6(name)] : [])].flatMap((record) => addresses.get(record)?.address ?? []);
  const own = addressesOf(ownAddress(app));
  const names = [`${weirName(app.id)}.${appZone}`];
  const ownClaims = portsOf(app)
    .filter((port) => vipPort(port) !== 0)
    .flatMap((port) =>
      port.protocols.flatMap((protocol) =>
        own.map((address) => claim(app, port, protocol, { names, address, port: vipPort(port) })),
      ),
    );
  const labelled = wants(app).flatMap(({ port, protocol, target }) => {
    if (target.kind === 'address')
      return [claim(app, port, protocol, { names: [], address: target.address, port: target.port })];
    const names = namedZones.map((zone) => `${vipName(target.label)}.${zone}`);
    return addressesOf(namedAddress(target.label)).map((address) =>
      claim(app, port, protocol, { names, address, port: target.port }),
    );
  });
  return unique([...ownClaims, ...labelled]);
}

type Want = { readonly port: PortRequest; readonly protocol: 'tcp' | 'udp'; readonly target: VipTarget };

function wants(app: App): readonly Want[] {
  const ports = portsOf(app);
  const current = ports.flatMap((port) =>
    vipLabels(port.labels).targets.flatMap((target) =>
      port.protocols.map((protocol) => ({ port, protocol, target })),
    ),
  );
  const legacy = legacyVipLabels(app.labels).vips.flatMap(({ portIndex, protocol, target }) => {
    const port = ports[portIndex];
    return port === undefined ? [] : [{ port, protocol, target }];
  });
  return [...current, ...legacy];
}

type Target = { readonly names: readonly string[]; readonly address: string; readonly port: number };

function claim(app: App, port: PortRequest, protocol: 'tcp' | 'udp', target: Target): VipClaim {
  const { policy } = vipPolicy({ ...app.labels, ...port.labels });
  const { balance, weight, affinitySeconds } = policy;
  return {
    key: vipKey(
      isIPv6(target.address) ? `${protocol}6` : protocol,
      target.names[0] ?? target.address,
      target.port,
    ),
    protocol,
    ...target,
    ...(balance === undefined ? {} : { balance }),
    ...(affinitySeconds === undefined ? {} : { affinitySeconds }),
    service: { appId: app.id, portIndex: port.index, ...(weight === undefined ? {} : { weight }) },
  };
}

/**
 * An app's own VIP listens on the port its container does; where that is drawn at launch, on the service port. An endpoint
 * of a pod has none: its host port counts, and where that is drawn too (0), only its labels make it a VIP.
 */
function vipPort({ containerPort, servicePort, hostPort }: PortRequest): number {
  return containerPort || servicePort || hostPort || 0;
}

function ownAddress(app: App): string {
  return `weir/${weirName(app.id)}`;
}

function namedAddress(label: string): string {
  return `l4lb/${vipName(label)}`;
}

function unique(claims: readonly VipClaim[]): readonly VipClaim[] {
  return [...new Map(claims.map((one) => [`${one.key} ${one.service.portIndex}`, one])).values()];
}
