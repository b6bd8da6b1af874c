import t from 'tap';
import { applyDelta, type Directory, type Endpoint, emptyDirectory } from '../../../core/model/directory.ts';
import type { Listener } from '../../../core/model/listener.ts';
import type { Route, RouteOptions } from '../../../core/model/route.ts';
import { ownRoute } from '../testing/listeners.ts';
import { mapping, routesByTable, routesOf } from './mapping.ts';

function instance(id: string, agentId: string, address: string): Endpoint {
  const port = { index: 0, protocols: ['tcp'], address, port: 80, scope: 'container', labels: {} } as const;
  const ids = { instanceId: id, taskId: `${id}.1`, appId: '/web', agentId };
  return { ...ids, agentAddress: '100.65.3.1', addresses: [], ports: [port], ready: true };
}

const here = instance('near', 'agent-1', '100.65.1.11');
const dual = [
  { network: 'cni', ip: '100.65.1.11' },
  { network: 'cni', ip: 'fd65:1::11' },
];
const there = instance('far', 'agent-2', '100.65.2.2');

function directory(endpoints: readonly Endpoint[], routes: readonly Route[]): Directory {
  const set = <T>(values: readonly T[]) => ({ set: values, gone: [] });
  return applyDelta(emptyDirectory, { from: 0, revision: 1, endpoints: set(endpoints), routes: set(routes) });
}

const l4 = {
  id: 'l4',
  owner: 'listener:l4',
  address: '0.0.0.0',
  port: 5432,
  protocol: 'tcp',
} as const satisfies Listener;

function decided(
  listener: Partial<Listener> & { readonly address?: string } = {},
  {
    endpoints = [here],
    routes = [ownRoute('/web')],
    cannotSix,
  }: {
    readonly endpoints?: readonly Endpoint[];
    readonly routes?: readonly Route[];
    readonly cannotSix?: string;
  } = {},
) {
  const all = directory(endpoints, routes);
  const asked = { ...l4, ...listener };
  const options = { agentId: 'agent-1', routes: routesOf(routesByTable(all), asked), cannotSix };
  return mapping(all, asked, options);
}

const withOptions = (options: RouteOptions) => ({ routes: [ownRoute('/web', { options })] });

t.test(
  'the kernel carries a plain port, and masks the client only where answers go another way',
  async (t) => {
    t.same(decided({}, { endpoints: [here, there] }), {
      kind: 'kernel',
      ports: [
        {
          ...{ listener: 'l4', protocol: 'tcp', address: '0.0.0.0', port: 5432 },
          backends: [
            { instanceId: 'far', address: '100.65.2.2', port: 80, far: true },
            { instanceId: 'near', address: '100.65.1.11', port: 80 },
          ],
        },
      ],
    });
    t.match(decided({ protocol: 'udp' }), { kind: 'kernel', ports: [{ protocol: 'udp' }] });
    t.match(decided({}, { endpoints: [] }), { kind: 'kernel', ports: [{ backends: [] }] });
    t.match(decided({}, withOptions({ balance: 'hash' })), { ports: [{ balance: 'source-hash' }] });
  },
);

t.test("who may come is the kernel's to know, by family", async (t) => {
  const lists = { allow: ['10.0.0.0/8', 'fd00::/8'], deny: ['10.6.6.6'] };
  const both = { ...here, addresses: dual };
  t.match(decided({ address: '::' }, { endpoints: [both], ...withOptions(lists) }), {
    kind: 'kernel',
    ports: [
      { allow: ['10.0.0.0/8'], deny: ['10.6.6.6/32'] },
      { allow: ['fd00::/8'], deny: [] },
    ],
  });
});

t.test('a socket of both families is mapped for those that every endpoint has', async (t) => {
  const both = { ...here, addresses: dual };
  t.match(decided({ address: '::' }, { endpoints: [both] }), {
    kind: 'kernel',
    ports: [
      { address: '0.0.0.0', backends: [{ address: '100.65.1.11' }] },
      { address: '::', backends: [{ address: 'fd65:1::11' }] },
    ],
    except: undefined,
  });
  t.match(decided({ address: '::' }, { endpoints: [both, there] }), {
    ports: [{ address: '0.0.0.0' }],
    except: /^IPv6: far is not at an IPv6 address/,
  });
  t.match(decided({ address: '::' }, { endpoints: [] }), { ports: [{ backends: [] }, { backends: [] }] });
  t.match(decided({ address: 'fd65:3::1' }, { endpoints: [both] }), { ports: [{ address: 'fd65:3::1' }] });
  t.match(decided({ address: '::' }, { endpoints: [both], cannotSix: 'it does not forward' }), {
    ports: [{ address: '0.0.0.0' }],
    except: 'IPv6: it does not forward',
  });
});

t.test('processes carry what somebody has to read or bound, and it is said why', async (t) => {
  const cases: readonly (readonly [ReturnType<typeof decided>, RegExp])[] = [
    [decided({ protocol: 'tls-passthrough' }), /tls-passthrough is read/],
    [decided({ options: { acceptProxy: ['10.0.0.1'] } }), /acceptProxy/],
    [decided({ options: { maxConnections: 5 } }), /maxConnections/],
    [decided({ options: { idleMs: 5 } }), /idleMs/],
    [decided({ address: '127.0.0.1' }), /loopback address/],
    [decided({ address: 'fd00::9' }), /near is not at an IPv6 address/],
    [decided({}, { routes: [] }), /no route/],
    [decided({}, { routes: [ownRoute('/web'), { ...ownRoute('/other'), id: 'two' }] }), /several routes/],
    [decided({}, withOptions({ sendProxy: 'v2' })), /sendProxy/],
    [decided({}, withOptions({ tls: {} })), /TLS/],
    [decided({}, withOptions({ limits: { concurrent: 1 } })), /limits/],
    [decided({}, withOptions({ check: {} })), /checks/],
    [decided({}, withOptions({ balance: 'least-requests' })), /least-requests/],
    [decided({}, withOptions({ timeouts: { connectMs: 5 } })), /connectMs/],
    [decided({}, { endpoints: [instance('lo', 'agent-1', '127.0.0.1')] }), /loopback/],
    [decided({}, { endpoints: [instance('six', 'agent-1', 'fd00::1')] }), /not at an IPv4/],
  ];
  for (const [decision, because] of cases) t.match(decision, { kind: 'process', because });
});
