import { contains, parseCidr4 } from '../core/kit/ip.ts';
import {
  type Action,
  type Forwarding,
  type Kernel,
  type Link,
  type Neighbour,
  type Route,
  routeProtocol,
  type Wanted,
} from './kernel.ts';

/**
 * The steps from what is there to what is wanted; none when the host is right. What fits is not touched, so that an agent that starts
 * again cuts no traffic. Order: a way is taken away before the things it leads over, and opened after them; the route that refuses
 * the whole range comes before any other, so that no packet of the network ever leaves by the default route.
 */
export function decide(wanted: Wanted, found: Kernel): readonly Action[] {
  const unfit = wanted.links.flatMap((link) => misfits(link, found.links));
  // The kernel drops everything on a device together with it.
  const rest = without(found, new Set(unfit.map(({ name }) => name)));
  return [
    ...staleRoutes(wanted, rest).map((route) => ({ kind: 'delete-route', route }) as const),
    ...staleForwardings(wanted, rest).map(
      (forwarding) => ({ kind: 'delete-forwarding', forwarding }) as const,
    ),
    ...staleNeighbours(wanted, rest).map((neighbour) => ({ kind: 'delete-neighbour', neighbour }) as const),
    ...unfit.map((link) => ({ kind: 'delete-link', link }) as const),
    ...routes(wanted, rest).filter(({ route }) => route.kind === 'unreachable'),
    ...wanted.links.flatMap((link) => linkActions(link, rest)),
    ...addresses(wanted, rest),
    ...wanted.links.flatMap((link) => raise(link, rest)),
    ...neighbours(wanted, rest),
    ...forwardings(wanted, rest),
    ...routes(wanted, rest).filter(({ route }) => route.kind !== 'unreachable'),
  ];
}

/** The present link of that name when it cannot be changed into the wanted one. */
function misfits(link: Link, found: readonly Link[]): readonly Link[] {
  const present = found.find(({ name }) => name === link.name);
  if (present === undefined || present.kind !== link.kind) return present === undefined ? [] : [present];
  if (link.tunnel === undefined) return [];
  // A new MAC on a tunnel drops its neighbours (overlay.md §5), as a new device does.
  const fits = sameTunnel(link, present) && present.mac === link.mac;
  return fits ? [] : [present];
}

function sameTunnel({ tunnel: a }: Link, { tunnel: b }: Link): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.vni === b.vni &&
    a.port === b.port &&
    a.local === b.local &&
    a.device === b.device &&
    a.learning === b.learning
  );
}

function without(found: Kernel, gone: ReadonlySet<string>): Kernel {
  const stays = ({ device }: { readonly device?: string }) => device === undefined || !gone.has(device);
  return {
    links: found.links.filter(({ name }) => !gone.has(name)),
    addresses: found.addresses.filter(stays),
    routes: found.routes.filter(stays),
    neighbours: found.neighbours.filter(stays),
    forwardings: found.forwardings.filter(stays),
  };
}

function linkActions(link: Link, { links }: Kernel): readonly Action[] {
  const present = links.find(({ name }) => name === link.name);
  if (present === undefined) return [{ kind: 'add-link', link }];
  const mac = present.mac === link.mac ? {} : { mac: link.mac };
  const mtu = present.mtu === link.mtu ? {} : { mtu: link.mtu };
  if (Object.keys(mac).length + Object.keys(mtu).length === 0) return [];
  return [{ kind: 'set-link', name: link.name, ...mac, ...mtu }];
}

function raise({ name }: Link, { links }: Kernel): readonly Action[] {
  const isUp = links.some((link) => link.name === name && link.up);
  return isUp ? [] : [{ kind: 'set-link', name, up: true }];
}

function addresses(wanted: Wanted, found: Kernel): readonly Action[] {
  const same = (a: { device: string; address: string }) => (b: { device: string; address: string }) =>
    a.device === b.device && a.address === b.address;
  const missing = wanted.addresses.filter((address) => !found.addresses.some(same(address)));
  const stale = found.addresses
    .filter(({ device }) => owns(wanted, device))
    .filter((address) => !wanted.addresses.some(same(address)));
  return [
    ...stale.map((address) => ({ kind: 'delete-address', address }) as const),
    ...missing.map((address) => ({ kind: 'add-address', address }) as const),
  ];
}

function neighbours(wanted: Wanted, found: Kernel): readonly Action[] {
  const known = new Set(found.neighbours.map(neighbourKey));
  return wanted.neighbours
    .filter((neighbour) => !known.has(neighbourKey(neighbour)))
    .map((neighbour) => ({ kind: 'set-neighbour', neighbour }) as const);
}

function staleNeighbours(wanted: Wanted, found: Kernel): readonly Neighbour[] {
  const right = new Set(wanted.neighbours.map(({ device, address }) => `${device} ${address}`));
  return found.neighbours.filter(
    ({ device, address }) => owns(wanted, device) && !right.has(`${device} ${address}`),
  );
}

function neighbourKey({ device, address, mac }: Neighbour): string {
  return `${device} ${address} ${mac}`;
}

function forwardings(wanted: Wanted, found: Kernel): readonly Action[] {
  const known = new Set(found.forwardings.map(forwardingKey));
  return wanted.forwardings
    .filter((forwarding) => !known.has(forwardingKey(forwarding)))
    .map((forwarding) => ({ kind: 'set-forwarding', forwarding }) as const);
}

/** A MAC may have gathered several destinations; those not wanted go. */
function staleForwardings(wanted: Wanted, found: Kernel): readonly Forwarding[] {
  const right = new Set(wanted.forwardings.map(forwardingKey));
  return found.forwardings.filter(
    (forwarding) => owns(wanted, forwarding.device) && !right.has(forwardingKey(forwarding)),
  );
}

function forwardingKey({ device, mac, to }: Forwarding): string {
  return `${device} ${mac} ${to}`;
}

function routes(wanted: Wanted, found: Kernel): readonly (Action & { readonly kind: 'set-route' })[] {
  const known = new Set(found.routes.map(routeKey));
  return wanted.routes
    .filter((route) => !known.has(routeKey(route)))
    .map((route) => ({ kind: 'set-route', route }));
}

/** Ours in the network's range, to a destination that is not wanted. A wrong way to a wanted one is replaced in one step. */
function staleRoutes(wanted: Wanted, found: Kernel): readonly Route[] {
  const range = parseCidr4(wanted.range);
  const right = new Set(wanted.routes.map(({ to }) => to));
  return found.routes
    .filter(
      ({ protocol, to }) => protocol === routeProtocol && contains(range, parseCidr4(prefixed(to)).base),
    )
    .filter(({ to }) => !right.has(to));
}

/** Host routes are printed without a length, the default route as a word. */
function prefixed(to: string): string {
  if (to === 'default') return '0.0.0.0/0';
  return to.includes('/') ? to : `${to}/32`;
}

function routeKey({ to, kind, via, device, source, onlink, protocol }: Route): string {
  return [to, kind, via, device, source, onlink, protocol].join(' ');
}

function owns(wanted: Wanted, device: string): boolean {
  return wanted.links.some(({ name }) => name === device);
}
