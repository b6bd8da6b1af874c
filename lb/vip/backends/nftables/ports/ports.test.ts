import { once } from 'node:events';
import t, { type Test } from 'tap';
import { systemClock } from '../../../../../core/kit/clock.ts';
import { silentLog } from '../../../../../core/kit/log.ts';
import type { MappedPort, MappedTarget } from '../../../../edge/l4/port-mapper.ts';
import { addresses, addresses6, type Lab, type Place } from '../../../testing/lab.ts';
import { labOf, needsRoot, serve, serve6 } from '../../../testing/nftables-lab.ts';
import { BothFamilyPorts } from './both-families.ts';
import { NftablesPorts } from './nftables-ports.ts';

const port = 5432;
const options = { skip: needsRoot };

function mapped(backends: readonly MappedTarget[], rest: Partial<MappedPort> = {}): MappedPort {
  return { listener: 'db', protocol: 'tcp', address: '0.0.0.0', port, backends, ...rest };
}

/** The host's public ports; `socket`: a process of the edge has the port as well, and says so. */
async function setUp(t: Test, id: string, { socket = true } = {}) {
  const lab = await labOf(t, id);
  const ports = new NftablesPorts({
    log: silentLog,
    clock: systemClock,
    exec: lab.host,
    spawn: (file, args) => lab.spawn('host', file, args),
  });
  t.teardown(() => ports.stop());
  if (socket) await lab.at('host').listen('edge', 'tcp', '0.0.0.0', port);
  const ask = (from: Place, protocol: 'tcp' | 'udp' = 'tcp', address: string = addresses.host) =>
    lab.at(from).ask({ protocol, address, port });
  return { lab, ports, ask };
}

const at = { protocol: 'tcp', address: addresses.host, port } as const;

t.test('a mapped port reaches endpoints, who see who asks', options, async (t) => {
  const { lab, ports, ask } = await setUp(t, 'pa');
  const [a, r] = [await serve(lab, 'a'), await serve(lab, 'r')];
  for (const target of [a, r]) {
    await ports.apply([mapped([target])]);
    t.match(await ask('x'), { kind: 'answer', name: target.instanceId, peer: addresses.x });
    t.match(await ask('host'), { kind: 'answer', name: target.instanceId }, 'a process of the machine');
  }
  await ports.apply([mapped([a])]);
  t.match(await ask('x', 'tcp', '100.65.1.1'), { name: 'a-tcp' }, 'at every address of the machine');
  for (const from of ['a', 'b', 'r'] as const)
    t.match(await ask(from), { kind: 'answer', name: 'a-tcp' }, `from ${from}`);
  t.match(await ask('host', 'tcp', '127.0.0.1'), { name: 'edge' }, 'loopback stays with the process');
});

t.test('who answers by another way sees this machine, and the answer arrives', options, async (t) => {
  const { lab, ports, ask } = await setUp(t, 'pb');
  const far = { ...(await serve(lab, 'r')), far: true } as const;
  await ports.apply([mapped([far])]);
  t.match(await ask('x'), { kind: 'answer', name: 'r-tcp', peer: '100.65.2.1' });
});

t.test('endpoints come and go, and open connections are not cut', options, async (t) => {
  const { lab, ports, ask } = await setUp(t, 'pc');
  const [a, b] = [await serve(lab, 'a'), await serve(lab, 'b')];
  await ports.apply([mapped([a])]);
  await lab.at('x').hold('kept', at);
  await ports.apply([mapped([a, b])]);
  const names = new Set<string>();
  for (let n = 0; n < 60 && names.size < 2; n++) {
    const reply = await ask('x');
    names.add(reply.kind === 'answer' ? reply.name : reply.kind);
  }
  t.same([...names].sort(), ['a-tcp', 'b-tcp']);
  await ports.apply([mapped([b])]);
  for (let n = 0; n < 5; n++) t.match(await ask('x'), { name: 'b-tcp' });
  t.equal(await lab.at('x').say('kept', 'still here'), 'still here');
  t.same(await ports.connections(new Set(['tcp:100.65.1.11:7001'])), new Map([['tcp:100.65.1.11:7001', 1]]));
  await ports.apply([mapped([])]);
  t.match(await ask('x'), { kind: 'refused' }, 'without endpoints');
  t.match(await ask('host'), { kind: 'refused' });
  t.equal(await lab.at('x').say('kept', 'yes'), 'yes');
  await ports.apply([]);
  t.match(await ask('x'), { name: 'edge' }, 'no longer mapped');
  t.equal(await lab.at('x').say('kept', 'on'), 'on');
});

t.test('connections of the process from before go on when its port is mapped', options, async (t) => {
  const { lab, ports, ask } = await setUp(t, 'pd');
  await lab.at('x').hold('old', at);
  await ports.apply([mapped([await serve(lab, 'a')])]);
  t.match(await ask('x'), { name: 'a-tcp' });
  t.equal(await lab.at('x').say('old', 'mine'), 'mine');
  await ports.apply([mapped([])]);
  t.equal(await lab.at('x').say('old', 'mine'), 'mine');
});

t.test('UDP flows stay with their endpoint, and move when it leaves', options, async (t) => {
  const { lab, ports } = await setUp(t, 'pe', { socket: false });
  const [a, b] = [await serve(lab, 'a', 'udp'), await serve(lab, 'b', 'udp')];
  const to = { protocol: 'udp', address: addresses.host, port } as const;
  const udp = (backends: readonly MappedTarget[]) => mapped(backends, { protocol: 'udp' });
  await ports.apply([udp([a])]);
  t.match(await lab.at('x').askFrom('flow', to), { name: 'a-udp', peer: addresses.x });
  await ports.apply([udp([a, b])]);
  for (let n = 0; n < 5; n++) t.match(await lab.at('x').askFrom('flow', to), { name: 'a-udp' });
  await ports.apply([udp([b])]);
  t.match(await lab.at('x').askFrom('flow', to), { name: 'b-udp' });
  await ports.apply([udp([])]);
  t.match(await lab.at('x').askFrom('flow', to), { kind: 'refused' });
  await ports.apply([udp([a])]);
  t.match(await lab.at('x').askFrom('flow', to), { name: 'a-udp' });
});

t.test(
  'an endpoint that refuses is left alone, and connections and bytes are counted',
  options,
  async (t) => {
    const { lab, ports, ask } = await setUp(t, 'pf');
    const a = await serve(lab, 'a');
    const dead = { instanceId: 'dead', address: addresses.b, port: 7009 };
    await ports.apply([mapped([a, dead])]);
    while (!ports.ejected().has(`tcp:${addresses.b}:7009`)) await ask('x');
    let well = 0;
    for (const end = Date.now() + 5_000; well < 10 && Date.now() < end; )
      well = (await ask('x')).kind === 'answer' ? well + 1 : 0;
    t.equal(well, 10, 'all connections go to the other');
    const [counts] = await ports.counts();
    t.match(counts, { listener: 'db', refused: 0 });
    t.ok(
      counts!.connections >= 10 && counts!.bytesIn > 1_000 && counts!.bytesOut > 1_000,
      JSON.stringify(counts),
    );
    await ports.apply([mapped([])]);
    await ask('x');
    t.match(await ports.counts(), [{ refused: 1 }]);
  },
);

t.test('an endpoint that does not answer is asked before clients get to it again', options, async (t) => {
  const lab = await labOf(t, 'pj');
  let asked = 0;
  const ports = new NftablesPorts({
    ...{ log: silentLog, clock: systemClock, exec: lab.host },
    spawn: (file, args) => lab.spawn('host', file, args),
    async reaches(target) {
      asked++;
      return (await lab.at('host').ask({ protocol: 'tcp', ...target })).kind === 'answer';
    },
  });
  t.teardown(() => ports.stop());
  const [a, b] = [await serve(lab, 'a'), await serve(lab, 'b')];
  await ports.apply([mapped([a, b])]);
  await lab.at('b').unlisten('b-tcp');
  const isAlone = () => ports.ejected().has(`tcp:${addresses.b}:7001`);
  while (!isAlone()) await lab.at('x').ask(at);
  // When this resolves the kernel has it.
  await ports.apply([mapped([a, b])]);
  const failed: string[] = [];
  while (asked < 2) {
    const reply = await lab.at('x').ask(at);
    if (reply.kind !== 'answer' && isAlone()) failed.push(reply.kind);
  }
  t.same(failed, []);
  await serve(lab, 'b');
  for (const end = Date.now() + 15_000; isAlone() && Date.now() < end; ) await lab.at('x').ask(at);
  t.notOk(isAlone());
});

t.test('who asks once and gives up shows that an endpoint does not answer', options, async (t) => {
  const { lab, ports } = await setUp(t, 'pk');
  await ports.apply([mapped([await serve(lab, 'a')])]);
  await lab.run(
    'a',
    'nft',
    ['-f', '-'],
    'table ip weirdrop { chain input { type filter hook input priority 0; policy drop; }; }',
  );
  const briefly = `timeout 0.3 bash -c ': > /dev/tcp/${addresses.host}/${port}' || true`;
  await lab.run('x', 'sh', ['-c', briefly]);
  const silent = `tcp:${addresses.a}:7001`;
  for (const end = Date.now() + 15_000; !ports.ejected().has(silent) && Date.now() < end; )
    await lab.at('x').ask({ ...at, port: 1 });
  t.same([...ports.ejected()], [silent]);
});

/** Says when it is asked, and answers when it is told to. */
const slow = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (_data, from) => {
  console.log('asked');
  process.stdin.once('data', () => socket.send('late ' + from.address + ' ' + from.port, from.port, from.address));
});
socket.bind(7009, process.argv[1], () => console.log('up'));`;

for (const [by, from, far] of [
  ['a', 'x', false],
  ['a', 'host', false],
  ['r', 'x', true],
] as const)
  t.test(`an answer under way when its flow moves arrives, from ${by} to ${from}`, options, async (t) => {
    const { lab, ports } = await setUp(t, `pl${by}${from}`, { socket: false });
    const late = lab.spawn(by, process.execPath, ['-e', slow, addresses[by]]);
    t.teardown(() => late.kill());
    await once(late.stdout!, 'data');
    const to = { protocol: 'udp', address: addresses.host, port } as const;
    const target = { instanceId: 'late', address: addresses[by], port: 7009 };
    const udp = (backends: readonly MappedTarget[]) => mapped(backends, { protocol: 'udp' });
    await ports.apply([udp([far ? { ...target, far: true } : target])]);
    const reply = lab.at(from).askFrom('kept', to);
    await once(late.stdout!, 'data');
    await ports.apply([udp([await serve(lab, 'b', 'udp')])]);
    late.stdin!.write('now\n');
    t.match(await reply, { kind: 'answer', name: 'late' });
    t.match(await lab.at(from).askFrom('kept', to), { kind: 'answer', name: 'b-udp' }, 'from the same port');
    t.same(await ports.audit(), []);
  });

t.test('both families are mapped, each to endpoints of its own', options, async (t) => {
  const lab = await labOf(t, 'p6');
  const parts = {
    ...{ log: silentLog, clock: systemClock, exec: lab.host },
    spawn: (file: string, args: readonly string[]) => lab.spawn('host', file, args),
  };
  const ports = new BothFamilyPorts(new NftablesPorts(parts), new NftablesPorts(parts, { family: 6 }));
  t.teardown(() => ports.stop());
  await lab.at('host').listen('edge', 'tcp', '::', port);
  const six = { protocol: 'tcp', address: addresses6.host, port } as const;
  const [a, b] = [await serve(lab, 'a'), await serve6(lab, 'b')];
  await ports.apply([mapped([a])]);
  t.match(await lab.at('x').ask(six), { name: 'edge' }, 'not mapped yet');
  await ports.apply([mapped([a]), mapped([b], { address: '::' })]);
  t.match(await lab.at('x').ask(six), { name: 'b-tcp', peer: addresses6.x });
  t.match(await lab.at('x').ask(at), { name: 'a-tcp', peer: addresses.x });
  t.match(await lab.at('host').ask(six), { name: 'b-tcp' });
  t.match(await lab.at('a').ask(six), { name: 'b-tcp' });
  const r = await serve6(lab, 'r');
  await ports.apply([mapped([{ ...r, far: true }], { address: addresses6.host })]);
  t.match(await lab.at('x').ask(six), { name: 'r-tcp', peer: 'fd65:2::1' });
  t.match(await ports.counts(), [{ listener: 'db', connections: 4, refused: 0 }]);
  t.same(await ports.audit(), []);
  await lab.run('host', 'nft', ['flush', 'chain', 'ip6', 'weir-edge', 'dispatch']);
  t.equal((await ports.audit()).length, 1);
  t.match(await lab.at('x').ask(six), { name: 'r-tcp' });
  await ports.stop();
  t.notMatch(await lab.run('host', 'nft', ['list', 'tables']), /weir-edge/);
  t.match(await lab.at('x').ask(six), { name: 'edge' });
});

t.test('who may not come gets to the process, which refuses', options, async (t) => {
  const { lab, ports, ask } = await setUp(t, 'pw');
  const a = await serve(lab, 'a');
  await ports.apply([mapped([a], { allow: ['100.65.3.0/24', '100.65.2.2/32'], deny: ['100.65.3.2/32'] })]);
  t.match(await ask('r'), { name: 'a-tcp' }, 'allowed');
  t.match(await ask('x'), { name: 'edge' }, 'denied, though its range is allowed');
  t.match(await ask('b'), { name: 'edge' }, 'not allowed');
  t.same(await ports.audit(), []);
  await ports.apply([mapped([a], { allow: ['0.0.0.0/0'] })]);
  for (const from of ['r', 'x', 'b'] as const) t.match(await ask(from), { name: 'a-tcp' });
  await ports.apply([mapped([a], { allow: [] })]);
  t.match(await ask('r'), { name: 'edge' }, 'nobody is allowed');
  await ports.apply([mapped([a])]);
  t.match(await ask('x'), { name: 'a-tcp' });
  t.same(await ports.audit(), []);
});

t.test('a source hash keeps an address with one endpoint', options, async (t) => {
  const { lab, ports, ask } = await setUp(t, 'pg');
  await ports.apply([mapped([await serve(lab, 'a'), await serve(lab, 'b')], { balance: 'source-hash' })]);
  const names = new Set<string>();
  for (let n = 0; n < 12; n++) {
    const reply = await ask('x');
    names.add(reply.kind === 'answer' ? reply.name : reply.kind);
  }
  t.equal(names.size, 1);
});

t.test(
  'what others did to the table is found and repaired; of others nothing is touched',
  options,
  async (t) => {
    const { lab, ports, ask } = await setUp(t, 'ph');
    await lab.run('host', 'nft', ['add', 'table', 'ip', 'weirother']);
    const a = await serve(lab, 'a');
    await ports.apply([mapped([a])]);
    await ports.apply([mapped([a, await serve(lab, 'b')])]);
    await ports.apply([mapped([a])]);
    t.same(await ports.audit(), [], 'nothing is wrong');
    const wrongs = [
      ['flush', 'chain', 'ip', 'weir-edge', 'prerouting'],
      ['flush', 'set', 'ip', 'weir-edge', 'ports'],
      ['add', 'chain', 'ip', 'weir-edge', 'strange'],
      ['delete', 'table', 'ip', 'weir-edge'],
    ];
    for (const wrong of wrongs) {
      await lab.run('host', 'nft', wrong);
      t.ok((await ports.audit()).length > 0, wrong.join(' '));
      t.same(await ports.audit(), [], 'repaired');
      t.match(await ask('x'), { name: 'a-tcp' });
    }
    await ports.stop();
    t.notMatch(await lab.run('host', 'nft', ['list', 'tables']), /weir-edge/);
    t.match(await lab.run('host', 'nft', ['list', 'tables']), /weirother/);
  },
);

t.test(
  'the table that a crash left is taken over; addresses that come are mapped too',
  options,
  async (t) => {
    const { lab, ports, ask } = await setUp(t, 'pi');
    const [a, b] = [await serve(lab, 'a'), await serve(lab, 'b')];
    await ports.apply([mapped([a]), mapped([a], { listener: 'other', port: 5433 })]);
    await lab.at('x').hold('kept', at);
    const next = new NftablesPorts({ log: silentLog, clock: systemClock, exec: lab.host });
    t.teardown(() => next.stop());
    await next.apply([mapped([b])]);
    t.match(await ask('x'), { name: 'b-tcp' });
    t.equal(await lab.at('x').say('kept', 'still'), 'still');
    t.match(await lab.at('x').ask({ ...at, port: 5433 }), { kind: 'refused' }, 'no longer mapped');
    await lab.run('host', 'ip', ['addr', 'add', '100.65.3.9/24', 'dev', 'weirx']);
    t.match(await ask('x', 'tcp', '100.65.3.9'), { name: 'edge' });
    await next.audit();
    t.match(await ask('x', 'tcp', '100.65.3.9'), { name: 'b-tcp' });
  },
);

t.test('a machine that does not forward says so', options, async (t) => {
  const lab: Lab = await labOf(t, 'pz');
  await lab.run('host', 'sh', ['-c', 'echo 0 > /proc/sys/net/ipv4/ip_forward']);
  const ports = new NftablesPorts({ log: silentLog, clock: systemClock, exec: lab.host });
  await t.rejects(ports.start(), { code: 'WEIR_VIP_UNAVAILABLE', message: /does not forward/ });
});
