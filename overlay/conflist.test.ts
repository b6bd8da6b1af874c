import t from 'tap';
import type { Network } from '../core/model/network.ts';
import { bridgePlugin, configList } from './conflist.ts';

const network: Network = {
  name: 'weir',
  cidr: '100.64.0.0/16',
  agentPrefix: 24,
  backend: 'vxlan',
  vni: 1,
  port: 4789,
  egress: 'none',
  plugins: [{ type: 'tuning', sysctl: { 'net.core.somaxconn': '512' } }],
};
const lease = {
  network: 'weir',
  agentId: 'a1',
  subnet: '100.64.3.0/24',
  agentAddress: '100.127.0.1',
  tunnelMac: '02:57:64:40:03:00',
};
const share = { network, lease };

t.test('bridgePlugin uses the bridge and the share of this host', async (t) => {
  t.same(bridgePlugin(share, { defaultRoute: true, mtu: 1450 }, '/data/ipam'), {
    type: 'bridge',
    bridge: 'weirb-weir',
    isGateway: true,
    ipMasq: false,
    hairpinMode: true,
    mtu: 1450,
    ipam: {
      type: 'host-local',
      dataDir: '/data/ipam',
      ranges: [[{ subnet: '100.64.3.0/24', gateway: '100.64.3.1' }]],
      routes: [{ dst: '0.0.0.0/0' }],
    },
  });
  const second = bridgePlugin(share, { defaultRoute: false, mtu: 1450 }, '/data/ipam');
  t.match(second, { ipam: { routes: [{ dst: '100.64.0.0/16' }] } });
});

t.test(
  'configList has the backend first, port mapping when there are host ports, extra plugins last',
  async (t) => {
    const types = (hostPorts: boolean) => configList(share, { own: [{ type: 'bridge' }], hostPorts });
    t.match(types(false), {
      cniVersion: '1.0.0',
      name: 'weir',
      plugins: [{ type: 'bridge' }, { type: 'tuning' }],
    });
    t.match(types(true), {
      plugins: [
        { type: 'bridge' },
        { type: 'portmap', capabilities: { portMappings: true } },
        { type: 'tuning' },
      ],
    });
  },
);
