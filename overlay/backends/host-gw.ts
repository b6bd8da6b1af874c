import type { NetworkBackend } from '../backend.ts';
import { routeProtocol } from '../kernel.ts';
import { type Carrier, createRouted, type RoutedOptions } from './routed.ts';

/** Plain routes: for hosts that are all on one link, where nothing needs to be wrapped. */
export function createHostGw(options: RoutedOptions): NetworkBackend {
  return createRouted(options, hostGw);
}

const hostGw: Carrier = {
  name: 'host-gw',
  overhead: 0,
  objects: (_share, peers, { device }) => ({
    links: [],
    addresses: [],
    neighbours: [],
    forwardings: [],
    routes: peers.map(({ subnet, agentAddress }) => ({
      to: subnet,
      kind: 'unicast',
      via: agentAddress,
      device,
      onlink: false,
      protocol: routeProtocol,
    })),
  }),
};
