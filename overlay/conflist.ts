import type { JsonObject } from '../cni/json.ts';
import type { InterfaceWish, OwnShare, PluginObject } from './backend.ts';
import { bridgeName, gatewayOf } from './names.ts';

/** The newest version that Debian 12's plugins (1.1.1) speak. */
const cniVersion = '1.0.0';

/**
 * The list an attachment is made with: the backend's own plugins, port mapping when the container has host ports, then the network's
 * extra plugins.
 */
export function configList(
  { network }: OwnShare,
  { own, hostPorts }: { readonly own: readonly PluginObject[]; readonly hostPorts: boolean },
): JsonObject {
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return {
    cniVersion,
    name: network.name,
    plugins: [...own, ...(hostPorts ? [portmap] : []), ...(network.plugins ?? []).filter(isPlugin)],
  };
}

function isPlugin(value: unknown): value is PluginObject {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/**
 * The container's end for backends that have a bridge on each host. The bridge exists, with its address, before the plugin runs.
 * Hairpin: a container reaches itself by a virtual address. No masquerading here: that is the egress table's.
 */
export function bridgePlugin(
  { network, lease }: OwnShare,
  { defaultRoute, mtu }: InterfaceWish,
  ipamDir: string,
): PluginObject {
  return {
    type: 'bridge',
    bridge: bridgeName(network.name),
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    mtu,
    ipam: {
      type: 'host-local',
      dataDir: ipamDir,
      ranges: [[{ subnet: lease.subnet, gateway: gatewayOf(lease.subnet) }]],
      routes: [{ dst: defaultRoute ? '0.0.0.0/0' : network.cidr }],
    },
  };
}
