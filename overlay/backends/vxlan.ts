import type { NetworkBackend } from '../backend.ts';
import { routeProtocol } from '../kernel.ts';
import { tunnelAddress, tunnelName } from '../names.ts';
import { type Carrier, createRouted, type RoutedOptions } from './routed.ts';

/** One tunnel device for each network; each peer is a next hop behind it. Nothing is learnt, nothing is flooded (overlay.md §11, §14). */
export function createVxlan(options: RoutedOptions): NetworkBackend {
  return createRouted(options, vxlan);
}

const vxlan: Carrier = {
  name: 'vxlan',
  // Outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14 (overlay.md §7).
  overhead: 50,
  objects({ network, lease }, peers, { device, mtu }) {
    const name = tunnelName(network.name);
    const { vni, port } = network;
    const tunnel = { vni, port, local: lease.agentAddress, device, learning: false };
    const hops = peers.map((peer) => ({ ...peer, hop: tunnelAddress(peer.subnet) }));
    return {
      links: [{ name, kind: 'vxlan', mac: lease.tunnelMac, mtu, up: true, tunnel }],
      addresses: [{ device: name, address: `${tunnelAddress(lease.subnet)}/32` }],
      neighbours: hops.map(({ hop, tunnelMac }) => ({ device: name, address: hop, mac: tunnelMac })),
      forwardings: hops.map(({ tunnelMac, agentAddress }) => ({
        device: name,
        mac: tunnelMac,
        to: agentAddress,
      })),
      routes: hops.map(({ subnet, hop }) => ({
        to: subnet,
        kind: 'unicast',
        via: hop,
        device: name,
        onlink: true,
        protocol: routeProtocol,
      })),
    };
  },
};
