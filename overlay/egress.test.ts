import t from 'tap';
import type { Network } from '../core/model/network.ts';
import { egressTableOf } from './egress.ts';

const network: Network = {
  name: 'weir',
  cidr: '100.64.0.0/16',
  agentPrefix: 24,
  backend: 'vxlan',
  vni: 1,
  port: 4789,
  egress: 'none',
};
const around = {
  ranges: ['100.64.0.0/16', '100.65.0.0/16'],
  agents: ['100.127.0.2', '100.127.0.1', '100.65.3.4'],
};

t.test('egressTableOf', async (t) => {
  t.test(
    'with egress none refuses what is neither a network nor an agent, and hides only towards agents',
    async (t) => {
      const { name, text, rules } = egressTableOf(network, around);
      t.equal(name, 'weir_net_weir');
      t.equal(rules, 4);
      const inside = '{ 100.64.0.0/16, 100.65.0.0/16, 100.127.0.1/32, 100.127.0.2/32 }';
      t.match(text, `ip saddr 100.64.0.0/16 ip daddr != ${inside} meta l4proto tcp reject with tcp reset`);
      t.match(text, 'ip saddr 100.64.0.0/16 ip daddr != { 100.64.0.0/16, 100.65.0.0/16 } masquerade');
      t.match(text, /established,related accept.*\n.*reject/, 'replies pass before anything is refused');
    },
  );

  t.test('with egress masquerade refuses nothing', async (t) => {
    const { text, rules } = egressTableOf({ ...network, egress: 'masquerade' }, around);
    t.equal(rules, 1);
    t.notMatch(text, 'reject');
  });

  t.test('has the same mark for the same cluster in any order, and another for another', async (t) => {
    const { mark } = egressTableOf(network, around);
    const turned = { ranges: around.ranges.toReversed(), agents: around.agents.toReversed() };
    t.equal(egressTableOf(network, turned).mark, mark);
    t.not(egressTableOf(network, { ...around, agents: [] }).mark, mark);
    t.ok(egressTableOf(network, around).text.split(mark).length === 5, 'every rule carries it');
  });
});
