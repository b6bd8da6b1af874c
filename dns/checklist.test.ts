import t, { type Test } from 'tap';
import type { DirectoryDelta } from '../core/model/directory.ts';
import { type Handler, status } from './handler.ts';
import { askUdp, decoded, query, TcpSession, udpExchange } from './testing/client.ts';
import { containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';
import { edns } from './wire/edns.ts';
import { CLASS, FLAG, type Message, RCODE, rcodeOf, TYPE } from './wire/types.ts';

/** Each test is a line of dns.md §14 against a running server; §14.21 is in tcp.test.ts, §14.25 to 28 and 30 in forward.test.ts. */
const six = containerEndpoint('/six', 'a', { addresses: [{ network: 'weir', ip: 'fd00::6' }] });
const directory = snapshot(7, {
  endpoints: [containerEndpoint('/shop/web', 'a'), six],
  vips: [vip('/shop/web', ['web.shop.weir'])],
});

async function server(t: Test, parts: Parameters<typeof runResolver>[1] = {}) {
  const { at } = await runResolver(t, { directory, ...parts });
  return at;
}

function many(count: number): DirectoryDelta {
  const endpoints = Array.from({ length: count }, (_, i) =>
    containerEndpoint('/many', `i${i}`, { addresses: [{ network: 'weir', ip: `100.64.2.${i}` }] }),
  );
  return snapshot(1, { endpoints });
}

/** A SOA that may be kept for a second at most (RFC 2308). */
function hasNegativeSoa(t: Test, reply: Message, zone: string): void {
  const [soa] = reply.authorities;
  t.match(soa, { type: 'SOA', name: zone, minimum: 1 });
  t.ok((soa?.ttl ?? 99) <= 1);
}

t.test('1: a reply repeats id, opcode and question, in its letter case', async (t) => {
  const at = await server(t);
  const asked = query('web.shop.weir', 'A', { id: 0xbeef });
  asked.set(Buffer.from('wEb\x04ShOp\x04WEIR', 'latin1'), 13);
  const reply = await udpExchange(at, asked);
  t.equal(reply.readUInt16BE(0), 0xbeef);
  t.equal(reply.readUInt16BE(2) & FLAG.QR, FLAG.QR);
  t.same(reply.subarray(12, asked.length), asked.subarray(12));
  t.equal(decoded(reply).answers.length, 1);
});

t.test('8: a name matches in any letter case', async (t) => {
  const at = await server(t);
  for (const name of ['WEB.SHOP.WEIR', 'Web.Shop.Weir']) {
    const asked = query('web.shop.weir', 'A');
    asked.write(name.split('.')[0]!, 13, 'latin1');
    t.equal(decoded(await udpExchange(at, asked)).answers.length, 1, name);
  }
});

t.test('2: an opcode but QUERY is not implemented', async (t) => {
  const at = await server(t);
  for (const opcode of [1, 2, 4, 5]) {
    const reply = await askUdp(at, 'web.shop.weir', 'A', { flags: opcode << 11 });
    t.equal(rcodeOf(reply), RCODE.NOTIMP);
    t.equal((reply.flags >> 11) & 15, opcode);
  }
});

t.test('3: a message with no question or two is malformed', async (t) => {
  const at = await server(t);
  for (const count of [0, 2]) {
    const packet = query('web.shop.weir', 'A');
    packet.writeUInt16BE(count, 4);
    t.equal((await udpExchange(at, packet)).readUInt16BE(2) & 15, RCODE.FORMERR);
  }
});

t.test('3: no question but a cookie is well-formed', async (t) => {
  const at = await server(t);
  const header = Buffer.from([0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  const cookie = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
  const opt = Buffer.from([0, 0, TYPE.OPT, 4, 0xd0, 0, 0, 0, 0, 0, cookie.length, ...cookie]);
  const reply = await udpExchange(at, Buffer.concat([header, opt]));
  t.equal(reply.readUInt16BE(2) & 15, RCODE.NOERROR);
});

t.test('4 and 5: a response and a short packet are dropped, the next query is answered', async (t) => {
  const at = await server(t);
  const session = await TcpSession.open(at);
  t.teardown(() => session.socket.destroy());
  session.send(
    query('web.shop.weir', 'A', { id: 1, flags: FLAG.QR }),
    Buffer.from([1, 2, 3]),
    query('web.shop.weir', 'A', { id: 2 }),
  );
  t.equal((await session.next())?.id, 2);
});

t.test('5: a cut message with a readable header is malformed', async (t) => {
  const at = await server(t);
  const packet = query('web.shop.weir', 'A');
  for (const length of [12, 13, 20, packet.length - 1]) {
    const reply = await udpExchange(at, packet.subarray(0, length));
    t.equal(reply.readUInt16BE(2) & 15, RCODE.FORMERR, `${length} bytes`);
  }
});

t.test('6: pointers to themselves, forward and in a ring are malformed, and nothing hangs', async (t) => {
  const at = await server(t);
  const head = [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  const names = { itself: [0xc0, 12], forward: [0xc0, 20], ring: [1, 97, 0xc0, 12] };
  for (const [kind, name] of Object.entries(names)) {
    const reply = await udpExchange(at, Buffer.from([...head, ...name, 0, 1, 0, 1, 0, 0]));
    t.equal(reply.readUInt16BE(2) & 15, RCODE.FORMERR, kind);
  }
});

t.test('7: labels over 63 and names over 255 bytes are malformed', async (t) => {
  const at = await server(t);
  const head = [0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
  const longLabel = [64, ...Array<number>(64).fill(97), 0];
  const label = [63, ...Array<number>(63).fill(97)];
  const longName = [...label, ...label, ...label, ...label, 0];
  for (const name of [longLabel, longName]) {
    const reply = await udpExchange(at, Buffer.from([...head, ...name, 0, 1, 0, 1]));
    t.equal(reply.readUInt16BE(2) & 15, RCODE.FORMERR);
  }
});

t.test('9: an answer from our zones is authoritative, a refusal is not', async (t) => {
  const at = await server(t);
  t.ok((await askUdp(at, 'web.shop.weir', 'A')).flags & FLAG.AA);
  t.notOk((await askUdp(at, 'example.com', 'A')).flags & FLAG.AA);
});

t.test('10: RA is off without forwarding, RD is repeated', async (t) => {
  const at = await server(t);
  const asked = await askUdp(at, 'web.shop.weir', 'A', { flags: FLAG.RD });
  const plain = await askUdp(at, 'web.shop.weir', 'A', { flags: 0 });
  t.equal(asked.flags & (FLAG.RA | FLAG.RD), FLAG.RD);
  t.equal(plain.flags & (FLAG.RA | FLAG.RD), 0);
});

t.test('11 and 12: a name exists when one below it does (RFC 8020)', async (t) => {
  const at = await server(t);
  for (const name of ['shop.weir', '_tcp.web.shop.weir', 'marathon.mesos']) {
    const reply = await askUdp(at, name, 'A');
    t.equal(rcodeOf(reply), RCODE.NOERROR, name);
    t.equal(reply.answers.length, 0);
    hasNegativeSoa(t, reply, name.split('.').at(-1)!);
  }
});

t.test('11 and 12: a name with nothing at or below it does not exist', async (t) => {
  const at = await server(t);
  for (const name of ['nothing.weir', 'below.web.shop.weir', 'x.nothing.mesos']) {
    const reply = await askUdp(at, name, 'A');
    t.equal(rcodeOf(reply), RCODE.NXDOMAIN, name);
    hasNegativeSoa(t, reply, name.split('.').at(-1) ?? '');
  }
});

t.test('12: a SRV miss carries its SOA too', async (t) => {
  const at = await server(t);
  const reply = await askUdp(at, 'web.shop.weir', 'SRV');
  t.equal(rcodeOf(reply), RCODE.NOERROR);
  hasNegativeSoa(t, reply, 'weir');
});

t.test('13: a class but IN is refused', async (t) => {
  const at = await server(t);
  for (const other of [CLASS.CH, CLASS.NONE, CLASS.ANY, 77]) {
    t.equal(rcodeOf(await askUdp(at, 'web.shop.weir', 'A', { class: other })), RCODE.REFUSED);
  }
});

t.test('14: a name outside our zones is refused', async (t) => {
  const at = await server(t);
  for (const name of ['example.com', '.', 'weirx', 'xweir', 'com']) {
    const reply = await askUdp(at, name, 'A');
    t.equal(rcodeOf(reply), RCODE.REFUSED, name);
    t.equal(reply.authorities.length, 0);
  }
});

t.test('15: a SRV target is not compressed, and its address comes along', async (t) => {
  const at = await server(t);
  const bytes = await udpExchange(at, query('_http._tcp.web.shop.weir', 'SRV'));
  const whole = Buffer.from('\x03web\x04shop\x04weir\x00', 'latin1');
  t.equal(bytes.subarray(41).indexOf(whole) >= 0, true, 'the target in full after the question');
  const reply = decoded(bytes);
  t.match(reply.answers, [
    { type: 'SRV', priority: 0, weight: 1, port: 80, target: 'web.shop.weir', ttl: 5 },
  ]);
  t.match(reply.additionals, [{ type: 'A', name: 'web.shop.weir', address: '100.127.0.9' }]);
});

t.test('16 and 17: the other address family of a name is NODATA, never NXDOMAIN', async (t) => {
  const at = await server(t);
  for (const [name, type] of [
    ['web.shop.weir', 'AAAA'],
    ['six.marathon.mesos', 'A'],
  ] as const) {
    const reply = await askUdp(at, name, type);
    t.equal(rcodeOf(reply), RCODE.NOERROR, name);
    t.equal(reply.answers.length, 0);
    hasNegativeSoa(t, reply, name.split('.').at(-1) ?? '');
  }
  t.match((await askUdp(at, 'six.marathon.mesos', 'AAAA')).answers, [{ address: 'fd00::6' }]);
});

t.test('18: OPT is answered with one OPT, none with none, two are malformed', async (t) => {
  const at = await server(t);
  t.match((await askUdp(at, 'web.shop.weir', 'A', { edns: edns(4096) })).edns, { udpSize: 1232, version: 0 });
  t.equal((await askUdp(at, 'web.shop.weir', 'A')).edns, undefined);
  const packet = query('web.shop.weir', 'A', { edns: edns(4096) });
  const twice = Buffer.concat([packet, packet.subarray(-11)]);
  twice.writeUInt16BE(2, 10);
  t.equal((await udpExchange(at, twice)).readUInt16BE(2) & 15, RCODE.FORMERR);
});

t.test('18: an unknown EDNS version is BADVERS, unknown options and flags are ignored', async (t) => {
  const at = await server(t);
  const future = await askUdp(at, 'web.shop.weir', 'A', { edns: edns(1232, { version: 1 }) });
  t.equal(rcodeOf(future), RCODE.BADVERS);
  t.match(future.edns, { version: 0 });
  t.equal(future.answers.length, 0);
  const options = Uint8Array.from([0xfd, 0xe9, 0, 2, 1, 2]);
  const reply = await askUdp(at, 'web.shop.weir', 'A', { edns: edns(1232, { options, flags: 0x0080 }) });
  t.equal(rcodeOf(reply), RCODE.NOERROR);
  t.equal(reply.answers.length, 1);
  t.match(reply.edns, { flags: 0, options: { length: 0 } });
});

t.test(
  '19 and 20: a reply stays within what the client takes, and says when answers are missing',
  async (t) => {
    const at = await server(t, { directory: many(200) });
    for (const [size, most] of [
      [undefined, 512],
      [0, 512],
      [600, 600],
      [1232, 1232],
      [65_535, 1232],
    ] as const) {
      const parts = size === undefined ? {} : { edns: edns(size) };
      const bytes = await udpExchange(at, query('many.marathon.mesos', 'A', parts));
      t.ok(bytes.length <= most && bytes.length > most - 32, `${size}: ${bytes.length} of ${most}`);
      t.ok(decoded(bytes).flags & FLAG.TC);
    }
  },
);

t.test('20: all of a truncated answer comes by TCP', async (t) => {
  const at = await server(t, { directory: many(200) });
  const session = await TcpSession.open(at);
  t.teardown(() => session.socket.destroy());
  session.send(query('many.marathon.mesos', 'A'));
  const reply = await session.next();
  t.equal(reply?.answers.length, 200);
  t.notOk((reply?.flags ?? 0) & FLAG.TC);
});

t.test('20: missing additional records alone do not set TC', async (t) => {
  const at = await server(t, { directory: many(8) });
  const bytes = await udpExchange(at, query('_many._tcp.marathon.mesos', 'SRV'));
  const reply = decoded(bytes);
  t.equal(reply.answers.length, 8);
  t.ok(reply.additionals.length < 8);
  t.notOk(reply.flags & FLAG.TC);
});

t.test('22: ANY gets one set of records (RFC 8482)', async (t) => {
  const at = await server(t);
  t.match((await askUdp(at, 'web.shop.weir', 'ANY')).answers, [{ type: 'A' }]);
  t.equal(rcodeOf(await askUdp(at, 'nothing.weir', 'ANY')), RCODE.NXDOMAIN);
});

t.test('23: addresses of ours have their names, others of our ranges do not exist', async (t) => {
  const at = await server(t);
  const found = await askUdp(at, '9.0.127.100.in-addr.arpa', 'PTR');
  t.match(found.answers, [{ type: 'PTR', target: 'web.shop.weir' }]);
  const missing = await askUdp(at, '77.77.77.100.in-addr.arpa', 'PTR');
  t.equal(rcodeOf(missing), RCODE.NXDOMAIN);
  hasNegativeSoa(t, missing, '77.100.in-addr.arpa');
});

t.test('24: transfers over DNS are refused', async (t) => {
  const at = await server(t);
  const session = await TcpSession.open(at);
  t.teardown(() => session.socket.destroy());
  session.send(query('mesos', 'AXFR'));
  t.equal(rcodeOf((await session.next())!), RCODE.REFUSED);
});

t.test('29: localhost is answered here', async (t) => {
  const at = await server(t);
  t.match((await askUdp(at, 'localhost', 'A')).answers, [{ address: '127.0.0.1' }]);
  t.match((await askUdp(at, 'x.localhost', 'AAAA')).answers, [{ address: '::1' }]);
  t.match((await askUdp(at, '1.0.0.127.in-addr.arpa', 'PTR')).answers, [{ target: 'localhost' }]);
  const none = await askUdp(at, 'localhost', 'MX');
  t.equal(rcodeOf(none), RCODE.NOERROR);
});

t.test('SOA and NS of a zone are answers, with the revision as serial', async (t) => {
  const at = await server(t);
  const soa = await askUdp(at, 'weir', 'SOA');
  t.match(soa.answers, [{ type: 'SOA', name: 'weir', mname: 'ns1.mesos', serial: 7, ttl: 5 }]);
  const ns = await askUdp(at, 'mesos', 'NS');
  t.match(ns.answers, [{ type: 'NS', target: 'ns1.mesos' }]);
  t.match(ns.additionals, [{ type: 'A', name: 'ns1.mesos', address: '127.0.0.1' }]);
  hasNegativeSoa(t, await askUdp(at, 'web.shop.weir', 'SOA'), 'weir');
});

t.test('an unknown type of a name that exists is NODATA', async (t) => {
  const at = await server(t);
  for (const type of [TYPE.TXT, TYPE.MX, 65, 999, 65_280]) {
    const reply = await askUdp(at, 'web.shop.weir', type);
    t.equal(rcodeOf(reply), RCODE.NOERROR, `type ${type}`);
    hasNegativeSoa(t, reply, 'weir');
  }
});

t.test('a Mesos-DNS wildcard is ignored, and the owner is the name that was asked', async (t) => {
  const at = await server(t);
  const reply = await askUdp(at, 'web-shop.*.marathon.mesos', 'A');
  t.match(reply.answers, [{ name: 'web-shop.*.marathon.mesos', address: '100.64.1.2' }]);
});

t.test('an alias answers under the name that was asked, in every section', async (t) => {
  const at = await server(t);
  const reply = await askUdp(at, '_web-shop._tcp.marathon.mesos.thisdcos.global', 'SRV');
  t.match(reply.answers, [{ name: '_web-shop._tcp.marathon.mesos.thisdcos.global' }]);
  const [answer] = reply.answers;
  t.match(answer, { target: /\.marathon\.mesos\.thisdcos\.global$/ });
  t.equal(reply.additionals[0]?.name, answer?.type === 'SRV' ? answer.target : '');
  const missing = await askUdp(at, 'web.marathon.dclb.thisdcos.directory', 'A');
  hasNegativeSoa(t, missing, 'dclb.thisdcos.directory');
});

t.test(
  'the DC/OS name of the cluster is another name of its zone, that of another cluster is not ours',
  async (t) => {
    const at = await server(t, { zone: { clusterId: 'abc' } });
    const reply = await askUdp(at, 'six.marathon.agentip.dcos.abc.dcos.directory', 'A');
    t.match(reply.answers, [
      { name: 'six.marathon.agentip.dcos.abc.dcos.directory', address: '100.64.255.1' },
    ]);
    const other = await askUdp(at, 'six.marathon.agentip.dcos.xyz.dcos.directory', 'A');
    t.equal(rcodeOf(other), RCODE.REFUSED);
  },
);

t.test('a VIP name outside our zones is answered, names around it are not ours', async (t) => {
  const outside = snapshot(1, { vips: [vip('/web', ['shop.example.org'])] });
  const at = await server(t, { directory: outside });
  t.equal((await askUdp(at, 'shop.example.org', 'A')).answers.length, 1);
  hasNegativeSoa(t, await askUdp(at, 'shop.example.org', 'AAAA'), 'shop.example.org');
  for (const name of ['example.org', 'x.shop.example.org']) {
    t.equal(rcodeOf(await askUdp(at, name, 'A')), RCODE.REFUSED, name);
  }
});

t.test(
  'a handler that fails, at once or later, or says what cannot be encoded, makes SERVFAIL',
  async (t) => {
    const broken = status(RCODE.NOERROR, {
      answers: [{ type: 'A', name: 'x.example', class: CLASS.IN, ttl: 1, address: 'nonsense' }],
    });
    const faults: readonly Handler['answer'][] = [
      () => {
        throw new Error('at once');
      },
      async () => Promise.reject(new Error('later')),
      () => broken,
      async () => broken,
    ];
    for (const answer of faults) {
      const at = await server(t, { parts: { forward: () => ({ name: 'faulty', answer }) } });
      t.equal(rcodeOf(await askUdp(at, 'x.example', 'A')), RCODE.SERVFAIL);
      t.equal((await askUdp(at, 'web.shop.weir', 'A')).answers.length, 1);
    }
  },
);

t.test('answers come in every order', async (t) => {
  const at = await server(t, { directory: many(3) });
  const orders = new Set<string>();
  for (let i = 0; i < 200 && orders.size < 6; i++) {
    const { answers } = await askUdp(at, 'many.marathon.mesos', 'A');
    orders.add(answers.map((record) => (record.type === 'A' ? record.address : '')).join());
  }
  t.equal(orders.size, 6);
});
