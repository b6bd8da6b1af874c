import t from 'tap';
import type { Network } from '../core/model/network.ts';
import { checkNetwork, networkFaults } from './network-faults.ts';

const network: Network = {
  name: 'weir',
  cidr: '100.64.0.0/16',
  agentPrefix: 24,
  backend: 'vxlan',
  vni: 1,
  port: 4789,
  egress: 'none',
};
const faultsOf = (change: Partial<Network>, others: readonly Network[] = []) =>
  networkFaults({ ...network, ...change }, { others, backends: ['vxlan', 'loopback'] });

t.test('networkFaults', async (t) => {
  t.test('accepts a network that can work, and one that replaces itself', async (t) => {
    t.same(faultsOf({}), []);
    t.same(faultsOf({ agentPrefix: 25 }, [network]), []);
    t.same(faultsOf({ backend: 'loopback', cidr: '127.64.0.0/10' }), []);
  });

  t.test('takes names of 13 characters and refuses 14', async (t) => {
    t.same(faultsOf({ name: 'abcdefghijklm' }), []);
    t.match(faultsOf({ name: 'abcdefghijklmn' }), [/14 characters, at most 13/]);
    t.match(faultsOf({ name: '-a' }), [/must begin with a letter or digit/]);
    t.match(faultsOf({ name: 'a/b' }), [/must begin with/]);
    t.match(faultsOf({ name: '' }), [/must begin with/]);
  });

  t.test('refuses ranges that are taken or special', async (t) => {
    const other = { ...network, name: 'dev', vni: 2 };
    t.same(faultsOf({ cidr: '100.64.128.0/17' }, [other]), [
      'cidr 100.64.128.0/17 overlaps 100.64.0.0/16 of network dev',
    ]);
    t.match(faultsOf({ cidr: '127.64.0.0/10' }), [/the loopback range/]);
    t.match(faultsOf({ cidr: '224.0.0.0/16' }), [/multicast/]);
    t.match(faultsOf({ cidr: '100.64.0.1/16' }), [/host bits zero/]);
    t.match(faultsOf({ backend: 'loopback' }), [/must lie in 127\.0\.0\.0\/8/]);
    const reserved = [{ cidr: '100.64.0.0/24', what: 'the underlay' }];
    t.same(networkFaults(network, { others: [], reserved }), [
      'cidr 100.64.0.0/16 overlaps 100.64.0.0/24, the underlay',
    ]);
  });

  t.test('refuses numbers that the kernel would', async (t) => {
    t.same(faultsOf({ agentPrefix: 16 }), ['agentPrefix 16 must be 17 to 30']);
    t.same(faultsOf({ agentPrefix: 31 }), ['agentPrefix 31 must be 17 to 30']);
    t.match(faultsOf({ vni: 0, port: 70_000, mtu: 551 }), [/^vni 0/, /^port 70000/, /^mtu 551/]);
    t.same(faultsOf({ mtu: 552 }), []);
  });

  t.test(
    'refuses a second tunnel with the same identifier, an unknown backend, and nameless plugins',
    async (t) => {
      const other = { ...network, name: 'dev', cidr: '100.65.0.0/16' };
      t.same(faultsOf({}, [other]), ['vni 1 on port 4789 is used by network dev']);
      t.same(faultsOf({ backend: 'ipsec' }), ['backend "ipsec" is not one of vxlan, loopback']);
      t.same(faultsOf({ plugins: [{ type: 'tuning' }, {}] }), ['plugins[1] must be an object with a "type"']);
    },
  );

  t.test('reports all faults together', async (t) => {
    t.throws(() => checkNetwork({ ...network, name: '-', vni: 0, mtu: 1 }, { others: [] }), {
      code: 'WEIR_NETWORK_INVALID',
      faults: [/^name/, /^vni/, /^mtu/],
    });
  });
});
