import fc from 'fast-check';
import t from 'tap';
import { decide } from './decide.ts';
import type { Action, Kernel, Link, Route, Wanted } from './kernel.ts';

const range = '100.64.0.0/16';
const tunnel = { vni: 1, port: 4789, local: '100.127.0.1', device: 'weir0', learning: false };
const device: Link = {
  name: 'weirx-a',
  kind: 'vxlan',
  mac: '02:57:64:40:00:00',
  mtu: 1450,
  up: true,
  tunnel,
};
const bridge: Link = { name: 'weirb-a', kind: 'bridge', mac: '06:57:64:40:00:00', mtu: 1450, up: true };
const uplink: Link = { name: 'weir0', kind: 'other', mac: '02:00:00:00:00:01', mtu: 1500, up: true };
const foreign: Route = {
  to: '192.168.0.0/16',
  kind: 'unicast',
  device: 'weir0',
  onlink: false,
  protocol: 'static',
};

function wantedWith(peers: readonly number[]): Wanted {
  const hops = peers.map((peer) => ({
    hop: `100.64.${peer}.0`,
    mac: macOf(peer),
    address: `100.127.0.${peer}`,
  }));
  return {
    range,
    links: [bridge, device],
    addresses: [
      { device: 'weirb-a', address: '100.64.0.1/24' },
      { device: 'weirx-a', address: '100.64.0.0/32' },
    ],
    routes: [
      { to: range, kind: 'unreachable', onlink: false, protocol: '87' },
      ...hops.map(({ hop }) => routeTo(hop)),
    ],
    neighbours: hops.map(({ hop, mac }) => ({ device: 'weirx-a', address: hop, mac })),
    forwardings: hops.map(({ mac, address }) => ({ device: 'weirx-a', mac, to: address })),
  };
}

const routeTo = (hop: string): Route => ({
  to: `${hop}/24`,
  kind: 'unicast',
  via: hop,
  device: 'weirx-a',
  onlink: true,
  protocol: '87',
});
const macOf = (peer: number) => `02:57:64:40:${peer.toString(16).padStart(2, '0')}:00`;
const bare: Kernel = { links: [uplink], addresses: [], routes: [foreign], neighbours: [], forwardings: [] };
const kinds = (actions: readonly Action[]) => actions.map(({ kind }) => kind);

t.test('decide', async (t) => {
  t.test('makes everything on a bare host, the refusing route first and the ways last', async (t) => {
    t.same(kinds(decide(wantedWith([2]), bare)), [
      'set-route',
      'add-link',
      'add-link',
      'add-address',
      'add-address',
      'set-link',
      'set-link',
      'set-neighbour',
      'set-forwarding',
      'set-route',
    ]);
  });

  t.test('does nothing on a host that is right', async (t) => {
    t.same(decide(wantedWith([2, 3]), applied(bare, decide(wantedWith([2, 3]), bare))), []);
  });

  t.test('adds and removes exactly the three objects of a peer, its way first', async (t) => {
    const two = applied(bare, decide(wantedWith([2, 3]), bare));
    t.same(kinds(decide(wantedWith([2, 3, 4]), two)), ['set-neighbour', 'set-forwarding', 'set-route']);
    t.same(kinds(decide(wantedWith([2]), two)), ['delete-route', 'delete-forwarding', 'delete-neighbour']);
  });

  t.test('makes a tunnel again only when port, identifier, ends or MAC differ', async (t) => {
    const right = applied(bare, decide(wantedWith([2]), bare));
    const now = (link: Link): Kernel => ({ ...right, links: [uplink, bridge, link] });
    for (const change of [
      { vni: 2 },
      { port: 8472 },
      { local: '100.127.0.9' },
      { device: 'eth9' },
      { learning: true },
    ])
      t.match(
        kinds(decide(wantedWith([2]), now({ ...device, tunnel: { ...tunnel, ...change } })))[0],
        'delete-link',
      );
    t.match(kinds(decide(wantedWith([2]), now({ ...device, mac: '02:00:00:00:00:09' })))[0], 'delete-link');
    t.same(decide(wantedWith([2]), now({ ...device, mtu: 1400 })), [
      { kind: 'set-link', name: 'weirx-a', mtu: 1450 },
    ]);
    t.same(decide(wantedWith([2]), now({ ...device, up: false })), [
      { kind: 'set-link', name: 'weirx-a', up: true },
    ]);
  });

  t.test('corrects a bridge in place, since containers hang on it', async (t) => {
    const right = applied(bare, decide(wantedWith([]), bare));
    const wrong = { ...bridge, mac: '02:00:00:00:00:09', mtu: 1500 };
    t.same(decide(wantedWith([]), { ...right, links: [uplink, wrong, device] }), [
      { kind: 'set-link', name: 'weirb-a', mac: bridge.mac, mtu: 1450 },
    ]);
  });

  t.test('brings any host right in one go and leaves alone what is not its own', async () => {
    const peers = fc.uniqueArray(fc.integer({ min: 2, max: 9 }));
    const spoil = fc.array(fc.record({ list: fc.nat(4), at: fc.nat(12), how: fc.nat(3) }), { maxLength: 12 });
    fc.assert(
      fc.property(peers, peers, spoil, (before, after, damages) => {
        const right = applied(bare, decide(wantedWith(before), bare));
        const found = damages.reduce(damaged, right);
        const result = applied(found, decide(wantedWith(after), found));
        const left = decide(wantedWith(after), result);
        if (left.length > 0) throw new Error(`not right yet: ${JSON.stringify(left)}`);
        if (!result.routes.includes(foreign) || !result.links.includes(uplink))
          throw new Error('touched foreign objects');
      }),
    );
  });
});

type Damage = { readonly list: number; readonly at: number; readonly how: number };

/** Takes an object away, or changes it, or adds a stranger on a device of ours. */
function damaged(kernel: Kernel, { list, at, how }: Damage): Kernel {
  const stray = { device: 'weirx-a', address: '100.64.99.0', mac: '02:57:00:00:00:99' };
  if (how === 3) {
    return {
      ...kernel,
      routes: [...kernel.routes, routeTo('100.64.99.0')],
      neighbours: [...kernel.neighbours, stray],
      forwardings: [...kernel.forwardings, { device: 'weirx-a', mac: macOf(2), to: `100.127.0.${at + 50}` }],
      addresses: [...kernel.addresses, { device: 'weirb-a', address: `100.64.77.${at}/24` }],
    };
  }
  const pick = <T>(objects: readonly T[], keep: (object: T) => boolean) =>
    objects.filter((object, index) => keep(object) || index !== at % Math.max(1, objects.length));
  switch (list) {
    case 0: {
      const links = pick(kernel.links, (link) => link === uplink);
      return withoutDevices(kernel, links);
    }
    case 1:
      return { ...kernel, addresses: pick(kernel.addresses, () => false) };
    case 2:
      return { ...kernel, routes: pick(kernel.routes, (route) => route === foreign) };
    case 3:
      return {
        ...kernel,
        neighbours: kernel.neighbours.map((each) => (how === 1 ? { ...each, mac: macOf(at) } : each)),
      };
    default:
      return {
        ...kernel,
        links: kernel.links.map((link) => (link === uplink ? link : { ...link, mtu: 1300, up: false })),
      };
  }
}

/** The kernel's own behaviour, as far as `decide` counts on it. */
function applied(kernel: Kernel, actions: readonly Action[]): Kernel {
  return actions.reduce(step, kernel);
}

function step(kernel: Kernel, action: Action): Kernel {
  const { links, addresses, routes, neighbours, forwardings } = kernel;
  switch (action.kind) {
    case 'add-link':
      if (links.some(({ name }) => name === action.link.name)) throw new Error('file exists');
      return { ...kernel, links: [...links, { ...action.link, up: false }] };
    case 'delete-link':
      return withoutDevices(
        kernel,
        links.filter(({ name }) => name !== action.link.name),
      );
    case 'set-link': {
      const { kind: _, name, ...change } = action;
      if (!links.some((link) => link.name === name)) throw new Error('no such device');
      return { ...kernel, links: links.map((link) => (link.name === name ? { ...link, ...change } : link)) };
    }
    case 'add-address':
      return { ...kernel, addresses: [...addresses, action.address] };
    case 'delete-address':
      return { ...kernel, addresses: addresses.filter((address) => address !== action.address) };
    case 'set-route':
      return { ...kernel, routes: [...routes.filter(({ to }) => to !== action.route.to), action.route] };
    case 'delete-route':
      return { ...kernel, routes: routes.filter((route) => route !== action.route) };
    case 'set-neighbour': {
      const others = neighbours.filter(({ address }) => address !== action.neighbour.address);
      return { ...kernel, neighbours: [...others, action.neighbour] };
    }
    case 'delete-neighbour':
      return { ...kernel, neighbours: neighbours.filter((each) => each !== action.neighbour) };
    case 'set-forwarding': {
      const others = forwardings.filter(({ mac }) => mac !== action.forwarding.mac);
      return { ...kernel, forwardings: [...others, action.forwarding] };
    }
    case 'delete-forwarding':
      return { ...kernel, forwardings: forwardings.filter((each) => each !== action.forwarding) };
  }
}

function withoutDevices(kernel: Kernel, links: readonly Link[]): Kernel {
  const names = new Set(links.map(({ name }) => name));
  const stays = ({ device: on }: { readonly device?: string }) => on === undefined || names.has(on);
  return {
    links,
    addresses: kernel.addresses.filter(stays),
    routes: kernel.routes.filter(stays),
    neighbours: kernel.neighbours.filter(stays),
    forwardings: kernel.forwardings.filter(stays),
  };
}
