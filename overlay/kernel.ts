/** The objects of Linux that a network is made of, as values: what is there, and what is wanted. */

export type Tunnel = {
  readonly vni: number;
  /** UDP. */
  readonly port: number;
  /** Address packets start from, and the device that holds it. */
  readonly local: string;
  readonly device: string;
  readonly learning: boolean;
};

export type Link = {
  readonly name: string;
  readonly kind: 'vxlan' | 'bridge' | 'other';
  readonly mac: string;
  /** Bytes. */
  readonly mtu: number;
  readonly up: boolean;
  /** Of a `vxlan` only. */
  readonly tunnel?: Tunnel;
};

/** `address` with prefix length. */
export type DeviceAddress = { readonly device: string; readonly address: string };

export type Route = {
  readonly to: string;
  readonly kind: 'unicast' | 'unreachable' | 'other';
  readonly via?: string;
  readonly device?: string;
  /** Address that the host itself speaks from. */
  readonly source?: string;
  readonly onlink: boolean;
  /** Number or name of who made it. */
  readonly protocol: string;
};

/** A permanent neighbour: `address` has `mac` on `device`. */
export type Neighbour = { readonly device: string; readonly address: string; readonly mac: string };

/** A permanent forwarding entry: frames for `mac` leave `device` towards host `to`. */
export type Forwarding = { readonly device: string; readonly mac: string; readonly to: string };

export type Kernel = {
  readonly links: readonly Link[];
  readonly addresses: readonly DeviceAddress[];
  /** Of the main table. */
  readonly routes: readonly Route[];
  readonly neighbours: readonly Neighbour[];
  readonly forwardings: readonly Forwarding[];
};

/** Marks routes as ours ("W"); `ip route` shows it as `proto 87`. */
export const routeProtocol = '87';

/** What one network wants. It owns its links and everything on them, and our routes within `range`. */
export type Wanted = Kernel & { readonly range: string };

/** One step towards the wanted state. */
export type Action =
  | { readonly kind: 'add-link' | 'delete-link'; readonly link: Link }
  | {
      readonly kind: 'set-link';
      readonly name: string;
      readonly mtu?: number;
      readonly mac?: string;
      readonly up?: true;
    }
  | { readonly kind: 'add-address' | 'delete-address'; readonly address: DeviceAddress }
  | { readonly kind: 'set-route' | 'delete-route'; readonly route: Route }
  | { readonly kind: 'set-neighbour' | 'delete-neighbour'; readonly neighbour: Neighbour }
  | { readonly kind: 'set-forwarding' | 'delete-forwarding'; readonly forwarding: Forwarding };
