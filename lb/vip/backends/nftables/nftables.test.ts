import t, { type Test } from 'tap';
import { silentLog } from '../../../../core/kit/log.ts';
import { table, vip, vipBackendContract } from '../../backend.contract.ts';
import type { VipTarget } from '../../table.ts';
import { addresses, createLab, type Lab, type Place } from '../../testing/lab.ts';
import { NftablesVips } from './nftables.ts';

const needsRoot = process.getuid?.() === 0 ? false : 'needs root';
const ranges = ['100.100.0.0/16'];
const [one, two, literal] = ['100.100.1.1', '100.100.1.2', '100.101.0.9'];

const backendOf = (lab: Lab, options = {}) =>
  new NftablesVips({ log: silentLog, exec: lab.host }, { ranges, ...options });

async function serve(lab: Lab, place: Place, protocol: 'tcp' | 'udp' = 'tcp'): Promise<VipTarget> {
  const port = protocol === 'tcp' ? 7001 : 7002;
  await lab.at(place).listen(`${place}-${protocol}`, protocol, addresses[place], port);
  return { instanceId: `${place}-${protocol}`, address: addresses[place], port };
}

async function labOf(t: Test, id: string): Promise<Lab> {
  const lab = await createLab(id);
  t.teardown(() => lab.close());
  return lab;
}

t.test('nftables, for a process of the host', { skip: needsRoot }, async (t) => {
  const lab = await createLab('c');
  const backend = backendOf(lab);
  await vipBackendContract(t, async () => ({
    backend,
    tcp: [await serve(lab, 'a'), await serve(lab, 'x')],
    udp: [await serve(lab, 'a', 'udp'), await serve(lab, 'x', 'udp')],
    vips: [one, two],
    ports: [80, 81],
    ...lab.at('host'),
    close: () => lab.close(),
  }));
});

t.test('nftables, for a container', { skip: needsRoot }, async (t) => {
  const lab = await createLab('d');
  const backend = backendOf(lab);
  await vipBackendContract(t, async () => ({
    backend,
    tcp: [await serve(lab, 'b'), await serve(lab, 'x')],
    udp: [await serve(lab, 'b', 'udp'), await serve(lab, 'r', 'udp')],
    vips: [one, two],
    ports: [80, 81],
    ...lab.at('a'),
    close: () => lab.close(),
  }));
});

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
    t.match(
      await backend.apply(table(vip('tcp', 'fd01::1', 80, []), vip('tcp', '127.0.0.9', 80, []), service)),
      [{ reason: /IPv4/ }, { reason: /loopback/ }],
    );
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

t.test('nftables changes backends under load and loses no connection', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'u');
  const backend = backendOf(lab);
  const [a, b, x] = [await serve(lab, 'a'), await serve(lab, 'b'), await serve(lab, 'x')];
  const service = (...backends: VipTarget[]) => vip('tcp', one, 80, backends);
  await backend.apply(table(service(a)));
  let changing = true;
  const loads = (['host', 'r', 'a'] as const).map(async (from) => {
    const failed: string[] = [];
    while (changing) failed.push(...(await lab.at(from).load(service(), 50)).failed);
    return failed;
  });
  const shapes = [[b], [a, b, x], [x], [b, x], [a], [a, x]];
  for (let i = 0; i < 24; i++) await backend.apply(table(service(...shapes[i % shapes.length]!)));
  changing = false;
  t.same((await Promise.all(loads)).flat(), []);
});

t.test('nftables takes over what a crash left, without a gap', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'o');
  const a = await serve(lab, 'a');
  const [service, old] = [vip('tcp', one, 80, [a]), vip('tcp', two, 80, [a])];
  await backendOf(lab).apply(table(service, old, vip('tcp', literal, 80, [a])));
  await lab.at('r').hold('kept', service);
  let changing = true;
  const load = (async () => {
    const failed: string[] = [];
    while (changing) failed.push(...(await lab.at('host').load(service, 50)).failed);
    return failed;
  })();
  for (let i = 0; i < 8; i++) await backendOf(lab).apply(table(service));
  changing = false;
  t.same(await load, []);
  t.equal(await lab.at('r').say('kept', 'alive'), 'alive');
  t.match(await lab.at('host').ask(old), { kind: 'refused' });
  t.notMatch(await lab.run('host', 'ip', ['route']), literal);
});

t.test(
  'nftables repairs a table that someone else changed, at the next change',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'f');
    const backend = backendOf(lab);
    const a = await serve(lab, 'a');
    const service = vip('tcp', one, 80, [a]);
    await backend.apply(table());
    await lab.run('host', 'nft', ['delete', 'table', 'ip', 'weir']);
    await backend.apply(table(service));
    t.match(await lab.at('host').ask(service), { kind: 'answer', name: 'a-tcp' });
  },
);

t.test('nftables leaves nothing behind when it is removed', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'z');
  const before = await lab.run('host', 'ip', ['route']);
  const backend = backendOf(lab, { table: 'weir_test' });
  await backend.apply(table(vip('tcp', one, 80, []), vip('tcp', literal, 80, [])));
  t.match(await lab.run('host', 'nft', ['list', 'tables']), /weir_test/);
  await backend.stop();
  t.match(await lab.run('host', 'nft', ['list', 'tables']), /weir_test/, 'goes on without this process');
  await backend.stop({ remove: true });
  t.equal(await lab.run('host', 'nft', ['list', 'tables']), '');
  t.equal(await lab.run('host', 'ip', ['route']), before);
});

t.test('nftables says what is missing', async (t) => {
  const missing = new NftablesVips(
    { log: silentLog, exec: async () => Promise.reject(new Error('ENOENT')) },
    { ranges },
  );
  await t.rejects(missing.start(), { code: 'WEIR_VIP_UNAVAILABLE', next: 'Install "nft".' });
  const denied = new NftablesVips(
    { log: silentLog, exec: async () => ({ exitCode: 1, stdout: '', stderr: 'Operation not permitted' }) },
    { ranges },
  );
  await t.rejects(denied.start(), { code: 'WEIR_VIP_UNAVAILABLE', message: /not permitted/ });
});

t.test('nftables takes over a table that was built otherwise', { skip: needsRoot }, async (t) => {
  const lab = await labOf(t, 'q');
  const service = vip('tcp', one, 80, [await serve(lab, 'a')]);
  const other = 'table ip weir { set addresses { type inet_service; }; chain strange { }; }';
  await lab.run('host', 'nft', ['-f', '-'], other);
  await backendOf(lab).apply(table(service));
  t.match(await lab.at('host').ask(service), { kind: 'answer', name: 'a-tcp' });
  t.notMatch(await lab.run('host', 'nft', ['list', 'chains']), 'strange');
  for (const bridgeReplies of [false, true]) {
    await backendOf(lab, { bridgeReplies }).apply(table(service));
    t.match(await lab.at('a').ask(service), { kind: 'answer', name: 'a-tcp' }, 'and back to itself');
  }
});
