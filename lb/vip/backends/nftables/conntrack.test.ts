import t from 'tap';
import { vip } from '../../backend.contract.ts';
import { flushUdp, openConnections, parseFlows, staleFlows } from './conntrack.ts';

const listing = `
tcp      6 431999 ESTABLISHED src=10.1.0.5 dst=100.64.0.1 sport=40000 dport=80 src=10.1.0.6 dst=10.1.0.5 sport=8080 dport=40000 [ASSURED] mark=0 use=1
tcp      6 110 TIME_WAIT src=10.1.0.5 dst=100.64.0.1 sport=40001 dport=80 src=10.1.0.6 dst=10.1.0.5 sport=8080 dport=40001 [ASSURED] mark=0 use=1
udp      17 29 src=10.1.0.5 dst=100.64.0.1 sport=5000 dport=53 [UNREPLIED] src=10.1.0.7 dst=10.1.0.5 sport=5353 dport=5000 mark=0 use=1
udp      17 29 src=10.1.0.5 dst=100.64.0.1 sport=5001 dport=53 src=10.1.0.8 dst=10.1.0.5 sport=5353 dport=5001 mark=0 use=1
udp      17 29 src=10.1.0.5 dst=100.64.0.1 sport=5002 dport=53 [UNREPLIED] src=100.64.0.1 dst=10.1.0.5 sport=53 dport=5002 mark=0 use=1
icmp     1 29 src=10.1.0.5 dst=100.64.0.1 type=8 code=0 id=1 src=100.64.0.1 dst=10.1.0.5 type=0 code=0 id=1 mark=0 use=1
`;
const dns = (...addresses: string[]) =>
  vip(
    'udp',
    '100.64.0.1',
    53,
    addresses.map((address) => ({ instanceId: address, address, port: 5353 })),
  );

t.test('a listing gives where each flow meant to go and who answers', async (t) => {
  const flows = parseFlows(listing);
  t.equal(flows.length, 5);
  t.same(flows[0], {
    protocol: 'tcp',
    state: 'ESTABLISHED',
    to: { address: '100.64.0.1', port: 80 },
    by: { address: '10.1.0.6', port: 8080 },
    from: { address: '10.1.0.5', port: 40_000 },
    seen: { address: '10.1.0.5', port: 40_000 },
  });
  t.match(flows[2], { protocol: 'udp', state: '', by: { address: '10.1.0.7', port: 5353 } });
});

t.test('open connections are those in which bytes may still pass', async (t) => {
  const open = await openConnections({
    family: 4,
    exec: async () => ({ exitCode: 0, stdout: listing, stderr: '' }),
  });
  t.same(
    open.filter((flow) => flow.protocol === 'tcp').map((flow) => flow.state),
    ['ESTABLISHED'],
  );
});

t.test('stale flows are those that no backend of their service answers', async (t) => {
  const flows = parseFlows(listing).filter((flow) => flow.protocol === 'udp');
  const by = (...addresses: string[]) =>
    staleFlows(flows, [dns(...addresses)]).map((flow) => flow.by.address);
  t.same(by('10.1.0.7', '10.1.0.8'), ['100.64.0.1']);
  t.same(by('10.1.0.7'), ['10.1.0.8', '100.64.0.1']);
  t.same(by(), ['10.1.0.7', '10.1.0.8', '100.64.0.1']);
  t.same(staleFlows(flows, []), []);
});

t.test(
  'a flush forgets each stale pair once, is content when it is gone already, and says when it cannot',
  async (t) => {
    const calls: string[] = [];
    const answer = (stderr: string) =>
      ({
        family: 4,
        exec: async (_file: string, args: readonly string[]) => {
          if (args[0] === '-L') return { exitCode: 0, stdout: listing, stderr: '' };
          calls.push(args.join(' '));
          return { exitCode: 1, stdout: '', stderr };
        },
      }) as const;
    await flushUdp(answer('conntrack v1.4.7 (conntrack-tools): 0 flow entries have been deleted.'), [
      dns('10.1.0.7', '10.1.0.8'),
    ]);
    t.same(calls, ['-D -f ipv4 -p udp -d 100.64.0.1 --dport 53 -r 100.64.0.1 --reply-port-src 53']);
    await t.rejects(flushUdp(answer('Operation failed: not permitted'), [dns()]), {
      code: 'WEIR_VIP_APPLY_FAILED',
    });
  },
);
