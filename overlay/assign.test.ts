import fc from 'fast-check';
import t from 'tap';
import { contains, overlaps, parseCidr4 } from '../core/kit/ip.ts';
import type { Lease, Network } from '../core/model/network.ts';
import { assignLease } from './assign.ts';

const network: Network = {
  name: 'weir',
  cidr: '100.64.0.0/16',
  agentPrefix: 24,
  backend: 'vxlan',
  vni: 1,
  port: 4789,
  egress: 'none',
};
const agent = (id: string) => ({ id, address: '100.127.0.1' });
const lease = (agentId: string, subnet: string): Lease => ({
  network: 'weir',
  agentId,
  subnet,
  agentAddress: '100.127.0.9',
  tunnelMac: '02:57:00:00:00:00',
});

t.test('assignLease', async (t) => {
  t.test('gives the lowest free share and derives the MAC from it', async (t) => {
    const leases = [lease('c', '100.64.3.0/24'), lease('a', '100.64.0.0/24'), lease('b', '100.64.1.0/24')];
    t.same(assignLease({ networks: [network], leases }, agent('new'), 'weir'), {
      network: 'weir',
      agentId: 'new',
      subnet: '100.64.2.0/24',
      agentAddress: '100.127.0.1',
      tunnelMac: '02:57:64:40:02:00',
    });
  });

  t.test('gives a known agent its old share with its present address', async (t) => {
    const own = lease('a', '100.64.7.0/24');
    const got = assignLease({ networks: [network], leases: [own] }, agent('a'), 'weir');
    t.same(got, { ...own, agentAddress: '100.127.0.1' });
  });

  t.test('does not mix up networks', async (t) => {
    const other = { ...lease('a', '100.64.0.0/24'), network: 'dev' };
    t.equal(
      assignLease({ networks: [network], leases: [other] }, agent('a'), 'weir').subnet,
      '100.64.0.0/24',
    );
  });

  t.test('says which pool is full', async (t) => {
    const tiny = { ...network, cidr: '100.64.0.0/23' };
    const leases = [lease('a', '100.64.0.0/24'), lease('b', '100.64.1.0/24')];
    t.throws(() => assignLease({ networks: [tiny], leases }, agent('c'), 'weir'), {
      code: 'WEIR_ADDRESS_POOL_FULL',
      message:
        'Cannot give c a share of network weir: all 2 shares of /24 in 100.64.0.0/23 are given to agents',
    });
    t.equal(assignLease({ networks: [tiny], leases }, agent('b'), 'weir').subnet, '100.64.1.0/24');
  });

  t.test('names the networks there are when asked for another', async (t) => {
    t.throws(() => assignLease({ networks: [network], leases: [] }, agent('a'), 'dev'), {
      code: 'WEIR_NETWORK_UNKNOWN',
      message: 'Cannot give a a share: there is no network dev (known are weir)',
    });
  });

  t.test('keeps shares apart, in range, lowest first and stable, whatever comes and goes', async () => {
    const steps = fc.array(fc.record({ agent: fc.nat(40), leave: fc.boolean() }), { maxLength: 80 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 17, max: 30 }), (events, agentPrefix) => {
        const plan = { ...network, agentPrefix, cidr: '100.64.0.0/16' };
        let leases: readonly Lease[] = [];
        for (const event of events) {
          const id = `agent-${event.agent}`;
          if (event.leave) leases = leases.filter(({ agentId }) => agentId !== id);
          else leases = joined(plan, leases, id);
          check(plan, leases);
        }
      }),
    );
  });

  t.test('never gives a share that touches one made with another prefix', async () => {
    const prefixes = fc.array(fc.integer({ min: 18, max: 30 }), { maxLength: 12 });
    fc.assert(
      fc.property(prefixes, (all) => {
        let leases: readonly Lease[] = [];
        for (const [index, agentPrefix] of all.entries()) {
          leases = joined({ ...network, agentPrefix }, leases, `agent-${index}`);
        }
        check(network, leases);
      }),
    );
  });
});

function joined(plan: Network, leases: readonly Lease[], id: string): readonly Lease[] {
  try {
    const got = assignLease({ networks: [plan], leases }, agent(id), 'weir');
    const before = leases.find(({ agentId }) => agentId === id);
    if (before === undefined) checkLowest(plan, leases, got);
    if (before !== undefined && before.subnet !== got.subnet) throw new Error(`${id} lost ${before.subnet}`);
    return [...leases.filter(({ agentId }) => agentId !== id), got];
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'WEIR_ADDRESS_POOL_FULL') return leases;
    throw error;
  }
}

function check(plan: Network, leases: readonly Lease[]): void {
  const range = parseCidr4(plan.cidr);
  const shares = leases.map(({ subnet }) => parseCidr4(subnet));
  for (const [index, share] of shares.entries()) {
    if (!contains(range, share.base)) throw new Error(`${leases[index]?.subnet} is outside`);
    if (shares.slice(index + 1).some((other) => overlaps(share, other))) throw new Error('shares overlap');
  }
}

function checkLowest(plan: Network, leases: readonly Lease[], { subnet }: Lease): void {
  const got = parseCidr4(subnet);
  for (let base = parseCidr4(plan.cidr).base; base < got.base; base += 2 ** (32 - got.prefix)) {
    const free = leases.every(
      (lease) => !overlaps(parseCidr4(lease.subnet), { base, prefix: plan.agentPrefix }),
    );
    if (free) throw new Error(`a lower share than ${subnet} is free`);
  }
}
