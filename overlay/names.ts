import { createHash } from 'node:crypto';
import { formatIpv4, parseCidr4 } from '../core/kit/ip.ts';

/** Linux allows 15 bytes; `weirx-` leaves 9 for the network. */
const ROOM = 9;

/** The bridge that a host's containers of a network hang on. */
export function bridgeName(network: string): string {
  return `weirb-${short(network)}`;
}

/** The tunnel device of a network. */
export function tunnelName(network: string): string {
  return `weirx-${short(network)}`;
}

/** The nftables table that says which packets may leave a network. */
export function egressTable(network: string): string {
  return `weir_net_${network}`;
}

/** Longer names keep their beginning and get a hash; `networkFaults` refuses the rare pair that meets. */
function short(network: string): string {
  if (network.length <= ROOM) return network;
  const hash = createHash('sha256').update(network).digest('hex').slice(0, 5);
  return network.slice(0, ROOM - hash.length) + hash;
}

/** Locally administered, and as unique as the subnet itself: `02:57` and the four bytes of its base. */
export function tunnelMac(subnet: string): string {
  return macOf('02:57', parseCidr4(subnet).base);
}

/** Fixed, so that the bridge does not take the address of whichever container came first. */
export function bridgeMac(subnet: string): string {
  return macOf('06:57', parseCidr4(subnet).base);
}

function macOf(head: string, address: number): string {
  const bytes = [24, 16, 8, 0].map((shift) => ((address >>> shift) & 255).toString(16).padStart(2, '0'));
  return [head, ...bytes].join(':');
}

/** First address of an agent's share: the bridge's own, the containers' gateway. */
export function gatewayOf(subnet: string): string {
  return formatIpv4(parseCidr4(subnet).base + 1);
}

/** Address of the tunnel device, without prefix: the base of the share. Never given to a container. */
export function tunnelAddress(subnet: string): string {
  return formatIpv4(parseCidr4(subnet).base);
}
