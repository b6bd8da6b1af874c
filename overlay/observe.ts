import type { DeviceAddress, Forwarding, Kernel, Link, Neighbour, Route } from './kernel.ts';
import { outputOf, type Tools } from './tools.ts';

/** Objects as `ip -json` prints them; only fields that are read. */
type IpLink = {
  readonly ifname: string;
  readonly address?: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: {
      readonly id?: number;
      readonly port?: number;
      readonly local?: string;
      readonly link?: string;
      readonly learning?: boolean;
    };
  };
};
type IpAddress = {
  readonly ifname: string;
  readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
};
type IpRoute = {
  readonly type?: string;
  readonly dst: string;
  readonly gateway?: string;
  readonly prefsrc?: string;
  readonly dev?: string;
  readonly protocol?: string;
  readonly flags?: readonly string[];
};
type IpNeighbour = {
  readonly dst: string;
  readonly dev: string;
  readonly lladdr?: string;
  readonly state?: readonly string[];
};
type BridgeForwarding = {
  readonly mac: string;
  readonly dst?: string;
  readonly flags?: readonly string[];
  readonly state?: string;
};

/** Reads the IPv4 side of this network namespace. `tunnel`: the device whose forwarding entries count. */
export async function observe(tools: Tools, tunnel?: string): Promise<Kernel> {
  const shows = ['link show', 'addr show', 'route show table main', 'neigh show'];
  const text = await outputOf(tools, ['ip', '-4', '-json', '-details', '-batch', '-'], {
    input: `${shows.join('\n')}\n`,
  });
  // Each command prints one array on a line of its own.
  const [links, addresses, routes, neighbours] = text.split('\n').map((line) => JSON.parse(line) as unknown);
  const found = {
    links: (links as readonly IpLink[]).map(linkOf),
    addresses: (addresses as readonly IpAddress[]).flatMap(addressesOf),
    routes: (routes as readonly IpRoute[]).map(routeOf),
    neighbours: (neighbours as readonly IpNeighbour[]).flatMap(neighbourOf),
  };
  const hasTunnel = tunnel !== undefined && found.links.some(({ name }) => name === tunnel);
  return { ...found, forwardings: hasTunnel ? await observeForwardings(tools, tunnel) : [] };
}

async function observeForwardings(tools: Tools, device: string): Promise<readonly Forwarding[]> {
  const text = await outputOf(tools, ['bridge', '-json', 'fdb', 'show', 'dev', device]);
  return (JSON.parse(text) as readonly BridgeForwarding[]).flatMap(({ mac, dst, state }) =>
    dst === undefined || state !== 'permanent' ? [] : [{ device, mac, to: dst }],
  );
}

function linkOf({ ifname, address = '', mtu, flags, linkinfo }: IpLink): Link {
  const kind = linkinfo?.info_kind;
  const common = { name: ifname, mac: address, mtu, up: flags.includes('UP') };
  if (kind !== 'vxlan') return { ...common, kind: kind === 'bridge' ? 'bridge' : 'other' };
  const { id = 0, port = 0, local = '', link = '', learning = true } = linkinfo?.info_data ?? {};
  return { ...common, kind, tunnel: { vni: id, port, local, device: link, learning } };
}

function addressesOf({ ifname, addr_info }: IpAddress): readonly DeviceAddress[] {
  return addr_info.map(({ local, prefixlen }) => ({ device: ifname, address: `${local}/${prefixlen}` }));
}

function routeOf({
  type = 'unicast',
  dst,
  gateway,
  dev,
  prefsrc,
  protocol = '',
  flags = [],
}: IpRoute): Route {
  return {
    to: dst,
    kind: type === 'unicast' || type === 'unreachable' ? type : 'other',
    ...(gateway === undefined ? {} : { via: gateway }),
    ...(dev === undefined ? {} : { device: dev }),
    ...(prefsrc === undefined ? {} : { source: prefsrc }),
    onlink: flags.includes('onlink'),
    protocol,
  };
}

function neighbourOf({ dst, dev, lladdr, state = [] }: IpNeighbour): readonly Neighbour[] {
  if (lladdr === undefined || !state.includes('PERMANENT')) return [];
  return [{ device: dev, address: dst, mac: lladdr }];
}
