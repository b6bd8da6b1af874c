import t from 'tap';
import { applyDelta, type Endpoint, emptyDirectory } from './directory.ts';
import { vipBackends } from './vip-backends.ts';

function endpoint(n: number, state: Pick<Endpoint, 'ready' | 'unreachable' | 'draining'>): Endpoint {
  const instanceId = `web.instance-${n}`;
  return {
    instanceId,
    taskId: `${instanceId}._app.1`,
    appId: '/web',
    agentId: `h${n}`,
    agentAddress: `100.65.0.${n}`,
    addresses: [],
    ports: [{ index: 0, protocols: ['tcp'], address: '100.64.0.1', port: n, scope: 'container', labels: {} }],
    ...state,
  };
}

const of = (...endpoints: readonly Endpoint[]) =>
  applyDelta(emptyDirectory, { from: 0, revision: 1, endpoints: { set: endpoints, gone: [] } });
const weights = (endpoints: readonly Endpoint[], weight?: number) =>
  vipBackends(of(...endpoints), [
    { appId: '/web', portIndex: 0, ...(weight === undefined ? {} : { weight }) },
  ]).map((backend) => backend.weight);
const [ready, sick, lost] = [{ ready: true }, { ready: false }, { ready: false, unreachable: true }] as const;

t.test('a backend has a weight by the table of vip.md section 5', async (t) => {
  t.same(weights([endpoint(1, ready), endpoint(2, sick), endpoint(3, ready)]), [1, 0, 1]);
  t.same(weights([endpoint(1, sick)]), [0], 'unhealthy alone is still none');
  t.same(weights([endpoint(1, ready), endpoint(2, sick)], 7), [7, 0]);
});

t.test('a backend that cannot be reached is hidden, unless all of the VIP are', async (t) => {
  t.same(weights([endpoint(1, ready), endpoint(2, lost)]), [1, 0]);
  t.same(weights([endpoint(1, lost), endpoint(2, lost)]), [1, 1], 'all kept');
  t.same(weights([endpoint(1, lost), endpoint(2, sick)]), [1, 0]);
});

t.test(
  'a backend that drains takes nothing new, unless no other is ready (vip.md section 17.2)',
  async (t) => {
    const leaving = { ready: false, draining: { until: 1 } };
    t.same(weights([endpoint(1, ready), endpoint(2, leaving)]), [1, 0]);
    t.same(weights([endpoint(1, sick), endpoint(2, leaving), endpoint(3, leaving)]), [0, 1, 1]);
    t.same(weights([endpoint(1, lost), endpoint(2, leaving)]), [0, 1], 'before those not heard of');
    const [, second] = vipBackends(of(endpoint(1, ready), endpoint(2, leaving)), [
      { appId: '/web', portIndex: 0 },
    ]);
    t.match(second?.because, /drains/);
  },
);

t.test('a backend without weight says why', async (t) => {
  const directory = of(endpoint(1, ready), endpoint(2, sick), endpoint(3, lost));
  const reasons = vipBackends(directory, [{ appId: '/web', portIndex: 0 }]).map(({ because }) => because);
  t.match(reasons, [undefined, /health checks/, /not heard of/]);
  t.match(vipBackends(directory, [{ appId: '/web', portIndex: 0, weight: 0 }])[0]?.because, /weight 0/);
  t.same(vipBackends(directory, [{ appId: '/web', portIndex: 1 }]), [], 'a port it does not have');
});

t.test(
  'a container is a backend by each address of its network, a host port by the address of the host',
  async (t) => {
    const dual: Endpoint = {
      ...endpoint(1, ready),
      addresses: [
        { network: 'weir', ip: '100.64.0.1' },
        { network: 'weir', ip: 'fd00::1' },
        { network: 'other', ip: '100.66.0.1' },
      ],
    };
    const found = (one: Endpoint) =>
      vipBackends(of(one), [{ appId: '/web', portIndex: 0 }]).map(({ address }) => address);
    t.same(found(dual), ['100.64.0.1', 'fd00::1']);
    t.same(
      found({ ...dual, ports: dual.ports.map((port) => ({ ...port, address: '192.0.2.1', scope: 'host' })) }),
      ['192.0.2.1'],
    );
  },
);
