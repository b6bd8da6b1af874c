import t from 'tap';
import { table, vip } from '../../backend.contract.ts';
import { addresses, type Place } from '../../testing/lab.ts';
import { backendOf, labOf, literal, needsRoot, one, serve, two } from '../../testing/nftables-lab.ts';

t.test('nftables reaches every kind of backend from every kind of client', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'm');
  const backend = backendOf(lab);
  for (const place of ['a', 'b', 'r', 'x', 'host'] as const) {
    await serve(lab, place);
    await serve(lab, place, 'udp');
  }
  for (const bridged of [true, false]) {
    await lab.bridgeNetfilter(bridged);
    await backend.stop();
    for (const to of ['a', 'b', 'r', 'x', 'host'] as const) {
      const tcp = vip('tcp', one, 80, [{ instanceId: to, address: addresses[to], port: 7001 }]);
      const udp = vip('udp', one, 53, [{ instanceId: to, address: addresses[to], port: 7002 }]);
      await backend.apply(table(tcp, udp));
      for (const from of ['a', 'b', 'r', 'host'] as const) {
        const path = `${from} to ${to}, bridge netfilter ${bridged ? 'on' : 'off'}`;
        const seen = await lab.at(from).ask(tcp);
        t.match(seen, { kind: 'answer', name: `${to}-tcp` }, path);
        t.match(await lab.at(from).ask(udp), { kind: 'answer', name: `${to}-udp` }, path);
        if (seen.kind === 'answer') t.equal(seen.peer, expectedPeer(from, to, bridged), `${path}: client`);
      }
    }
  }
});

/** A container keeps its address unless the reply would not come back; a process of the host has that of a direct call. */
function expectedPeer(from: Place, to: Place, bridged: boolean): string {
  const gateway = { a: '100.65.1.1', b: '100.65.1.1', r: '100.65.2.1', x: '100.65.3.1' };
  // The first address that the host has; any of its own would do.
  if (from === 'host') return to === 'host' ? '100.65.1.1' : gateway[to];
  const sameBridge = gateway[from] === '100.65.1.1' && (to === 'a' || to === 'b');
  if (from === to || (sameBridge && !bridged)) return gateway[from];
  return addresses[from];
}

t.test('nftables keeps everything of the VIP range inside the machine', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'k');
  const backend = backendOf(lab);
  await lab.run('x', 'nft', ['-f', '-'], leakCounter);
  await backend.apply(table(vip('tcp', one, 80, []), vip('tcp', literal, 80, [])));
  await lab.at('host').listen('wildcard', 'tcp', '0.0.0.0', 81);
  for (const from of ['host', 'a', 'r'] as const) {
    for (const address of [one, two, literal, '100.100.255.255'] as const) {
      // The kernel sends one address about six ICMP errors and then one a second: only a few questions by UDP.
      for (const [protocol, port] of [
        ['tcp', 80],
        ['tcp', 81],
        ['udp', 80],
      ] as const) {
        const reply = await lab.at(from).ask({ protocol, address, port });
        t.match(reply, { kind: 'refused' }, `${protocol} ${address}:${port} from ${from}`);
      }
    }
  }
  t.match(await lab.run('x', 'nft', ['list', 'table', 'ip', 'weirleak']), /packets 0 bytes 0/);
});

const leakCounter = `
table ip weirleak {
  chain prerouting {
    type filter hook prerouting priority -300;
    ip daddr { 100.100.0.0/16, 100.101.0.9 } counter
  }
}
`;

t.test(
  'nftables serves a literal address outside its ranges and lets go of it',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'l');
    const backend = backendOf(lab);
    const target = await serve(lab, 'a');
    const service = vip('tcp', literal, 80, [target]);
    await lab.run('host', 'ip', ['route', 'del', 'default']);
    await backend.apply(table());
    await backend.apply(table(service));
    t.match(await lab.at('host').ask(service), { kind: 'answer', name: 'a-tcp' });
    t.match(await lab.at('r').ask(service), { kind: 'answer', name: 'a-tcp' });
    await backend.apply(table());
    t.notMatch(await lab.run('host', 'ip', ['route']), literal);
    t.notMatch(await lab.run('host', 'nft', ['list', 'set', 'ip', 'weir', 'addresses']), literal);
    t.match(await backend.apply(table(vip('tcp', '127.0.0.9', 80, []), service)), [{ reason: /loopback/ }]);
  },
);

t.test('nftables never gives a process a VIP as its own address', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 's');
  const backend = backendOf(lab);
  for (const place of ['a', 'x', 'host'] as const) {
    const service = vip('tcp', one, 80, [await serve(lab, place)]);
    await backend.apply(table(service));
    const reply = await lab.at('host').ask(service);
    t.match(reply, { kind: 'answer', self: /^100\.65\./ }, place);
  }
});
