import { contains, parseCidr4 } from '../../core/kit/ip.ts';
import type { Network } from '../../core/model/network.ts';
import type { Cluster, NetworkBackend, OwnShare } from '../backend.ts';
import { bridgePlugin } from '../conflist.ts';
import { decide } from '../decide.ts';
import { applyEgress, type EgressTable, egressTableOf, hasEgress, removeEgress } from '../egress.ts';
import { UnderlayMissing } from '../errors.ts';
import { type Action, type Kernel, type Link, type Route, routeProtocol, type Wanted } from '../kernel.ts';
import { bridgeMac, bridgeName, gatewayOf, tunnelName } from '../names.ts';
import { observe } from '../observe.ts';
import { describe, perform } from '../perform.ts';
import { applySettings, loadBridgeFilter, settingsFor, settingText, wrongSettings } from '../sysctl.ts';
import type { Tools } from '../tools.ts';

export type RoutedOptions = {
  readonly tools: Tools;
  /** Folder of host-local's reservations, one folder per network; it must not be lost while containers run. */
  readonly ipamDir: string;
};

/** The device of this host that packets between hosts leave by, and what fits through it. */
export type Way = {
  readonly device: string;
  /** Bytes that a packet of a container may have. */
  readonly mtu: number;
};

/** What tells one routed backend from another. */
export type Carrier = {
  readonly name: string;
  /** Bytes that it adds to a packet. */
  readonly overhead: number;
  /** Kernel objects beside the bridge and the refusing route, in the order they are made. Pure. */
  objects(share: OwnShare, peers: Cluster['peers'], way: Way): Kernel;
};

type Difference = {
  readonly mtu: number;
  readonly devices: readonly string[];
  readonly actions: readonly Action[];
  /** The filter that should be there and is not. */
  readonly egress: EgressTable | undefined;
};

/** A backend with a bridge on each host and a route to each peer's share. */
export function createRouted({ tools, ipamDir }: RoutedOptions, carrier: Carrier): NetworkBackend {
  async function difference(share: OwnShare, cluster: Cluster): Promise<Difference> {
    const found = await observe(tools, tunnelName(share.network.name));
    const way = wayOf(share, carrier, found);
    const wanted = wantedOf(share, carrier.objects(share, strangers(share, cluster), way), way);
    const egress = egressTableOf(share.network, cluster);
    return {
      mtu: way.mtu,
      devices: wanted.links.map(({ name }) => name),
      actions: decide(wanted, found),
      egress: (await hasEgress(tools, egress)) ? undefined : egress,
    };
  }

  async function bring({ mtu, devices, actions, egress }: Difference) {
    // The filter first: no packet passes before it is known which ones may.
    if (egress !== undefined) await applyEgress(tools, egress);
    await perform(tools, actions);
    const settings = await wrongSettings(tools, settingsFor(devices));
    await applySettings(tools, settings);
    return { mtu, changes: [...actions.map(describe), ...settings.map(settingText), ...filterText(egress)] };
  }

  return {
    name: carrier.name,
    attaching: { kind: 'cni', pluginConfig: (share, wish) => [bridgePlugin(share, wish, ipamDir)] },
    async prepare(share, cluster) {
      await loadBridgeFilter(tools);
      const { actions, ...rest } = await difference(share, { ...cluster, peers: [] });
      return bring({ ...rest, actions: actions.filter(isNoLoss) });
    },
    sync: async (share, cluster) => bring(await difference(share, cluster)),
    async inspect(share, cluster) {
      const { devices, actions, egress } = await difference(share, cluster);
      const settings = await wrongSettings(tools, settingsFor(devices));
      const faults = [...actions.map(describe), ...settings.map(settingText), ...filterText(egress)];
      return { ready: faults.length === 0, faults };
    },
    async remove(network) {
      await perform(tools, removal(network, await observe(tools)));
      await removeEgress(tools, network.name);
    },
  };
}

/** On a loopback device a packet may have 64 KiB, but one that leaves the machine afterwards may not. */
const ETHERNET = 1500;

function wayOf({ network, lease }: OwnShare, { overhead }: Carrier, { addresses, links }: Kernel): Way {
  const holder = addresses.find(({ address }) => address.split('/')[0] === lease.agentAddress);
  const link = links.find(({ name }) => name === holder?.device);
  if (link === undefined) throw new UnderlayMissing(network.name, lease.agentAddress);
  const room = link.name === 'lo' ? Math.min(link.mtu, ETHERNET) : link.mtu;
  return { device: link.name, mtu: network.mtu ?? room - overhead };
}

/** Another agent on this very host (same address) is reached over no tunnel. */
function strangers({ lease }: OwnShare, { peers }: Cluster): Cluster['peers'] {
  return peers.filter(({ agentAddress }) => agentAddress !== lease.agentAddress);
}

function wantedOf({ network, lease }: OwnShare, objects: Kernel, { mtu }: Way): Wanted {
  const { prefix } = parseCidr4(lease.subnet);
  const name = bridgeName(network.name);
  const bridge: Link = { name, kind: 'bridge', mac: bridgeMac(lease.subnet), mtu, up: true };
  const refuse: Route = { to: network.cidr, kind: 'unreachable', onlink: false, protocol: routeProtocol };
  const gateway = gatewayOf(lease.subnet);
  // The kernel makes it with the address, but not again when someone deletes it.
  const local: Route = {
    to: lease.subnet,
    kind: 'unicast',
    device: name,
    source: gateway,
    onlink: false,
    protocol: 'kernel',
  };
  return {
    range: network.cidr,
    links: [bridge, ...objects.links],
    addresses: [{ device: name, address: `${gateway}/${prefix}` }, ...objects.addresses],
    routes: [refuse, local, ...objects.routes],
    neighbours: objects.neighbours,
    forwardings: objects.forwardings,
  };
}

/** What `prepare` leaves to `sync`: it does not know the peers. A device that cannot stay goes anyway. */
function isNoLoss({ kind }: Action): boolean {
  return kind === 'delete-link' || !kind.startsWith('delete-');
}

function removal({ name, cidr }: Network, { links, routes }: Kernel): readonly Action[] {
  const range = parseCidr4(cidr);
  const own = new Set([bridgeName(name), tunnelName(name)]);
  const isOurs = ({ to, protocol }: Route) =>
    protocol === routeProtocol && contains(range, parseCidr4(to.includes('/') ? to : `${to}/32`).base);
  return [
    ...routes.filter(isOurs).map((route) => ({ kind: 'delete-route', route }) as const),
    ...links.filter((link) => own.has(link.name)).map((link) => ({ kind: 'delete-link', link }) as const),
  ];
}

function filterText(table: EgressTable | undefined): readonly string[] {
  return table === undefined ? [] : [`nft table ip ${table.name}`];
}
