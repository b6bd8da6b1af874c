import t, { type Test } from 'tap';
import type { DirectoryDelta } from '../core/model/directory.ts';
import { EXTENDED } from './extended.ts';
import { forwardHandler } from './handlers/forward.ts';
import { defaultForwardOptions, type ForwardOptions, type Upstream } from './options.ts';
import { askUdp } from './testing/client.ts';
import { containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';
import { type Change, upstream } from './testing/upstream.ts';
import { edns, OPTION_EXTENDED_ERROR, optionData } from './wire/edns.ts';
import { CLASS, FLAG, type Message, RCODE, rcodeOf } from './wire/types.ts';

type Made = Partial<ForwardOptions> & {
  readonly now?: () => number;
  readonly chance?: () => number;
  readonly directory?: DirectoryDelta;
};

async function running(t: Test, { now, chance, directory, ...options }: Made) {
  const forward = { ...defaultForwardOptions, timeoutMs: 400, ...options };
  return runResolver(t, {
    ...(directory === undefined ? {} : { directory }),
    parts: {
      forward: (parts) => forwardHandler(forward, parts),
      ...(now && { now }),
      ...(chance && { chance }),
    },
  });
}

async function resolver(t: Test, options: Made) {
  return (await running(t, options)).at;
}

const code =
  (rcode: number): Change =>
  (reply) => ({ flags: reply.flags | rcode, answers: [] });

t.test('a name outside our zones is asked for, and the answer is not authoritative', async (t) => {
  const { at: server } = await upstream(t);
  const at = await resolver(t, { upstreams: [server] });
  const reply = await askUdp(at, 'example.com', 'A');
  t.match(reply.answers, [{ name: 'example.com', address: '192.0.2.1', ttl: 9 }]);
  t.equal(reply.flags & (FLAG.AA | FLAG.RA), FLAG.RA);
});

t.test('9 and 10: a forwarded answer keeps the AA of who gave it, and RA is on', async (t) => {
  const { at: server } = await upstream(t, (reply) => ({ flags: reply.flags | FLAG.AA }));
  const reply = await askUdp(await resolver(t, { upstreams: [server] }), 'example.com', 'A');
  t.equal(reply.flags & (FLAG.AA | FLAG.RA), FLAG.AA | FLAG.RA);
});

t.test('our own names are never asked elsewhere', async (t) => {
  const { at: server, asked } = await upstream(t);
  const at = await resolver(t, { upstreams: [server] });
  for (const name of ['x.weir', 'x.mesos', 'x.thisdcos.global', 'localhost']) await askUdp(at, name, 'A');
  t.equal(asked.length, 0);
});

t.test('a question without RD is not passed on', async (t) => {
  const { at: server, asked } = await upstream(t);
  const at = await resolver(t, { upstreams: [server] });
  t.equal(rcodeOf(await askUdp(at, 'example.com', 'A', { flags: 0 })), RCODE.REFUSED);
  t.equal(asked.length, 0);
});

t.test('the longest matching zone decides who is asked', async (t) => {
  const [all, org, deep] = [await upstream(t), await upstream(t), await upstream(t)];
  const zones = { org: [org.at], 'deep.org': [deep.at] };
  const at = await resolver(t, { upstreams: [all.at], zones });
  for (const name of ['a.deep.org', 'deep.org', 'xdeep.org', 'example.com']) await askUdp(at, name, 'A');
  const names = [all, org, deep].map(({ asked }) => asked.map((message) => message.question?.name));
  t.same(names, [['example.com'], ['xdeep.org'], ['a.deep.org', 'deep.org']]);
});

t.test('26: an upstream that fails, refuses or is silent is followed by the next', async (t) => {
  const good = await upstream(t);
  for (const change of [code(RCODE.SERVFAIL), code(RCODE.REFUSED), () => undefined]) {
    const bad = await upstream(t, change);
    const at = await resolver(t, { upstreams: [bad.at, good.at] });
    t.equal((await askUdp(at, 'example.com', 'A')).answers.length, 1);
    t.equal(bad.asked.length, 1);
  }
});

t.test('27: NXDOMAIN is an answer, and all upstreams failing is SERVFAIL', async (t) => {
  const [none, bad] = [await upstream(t, code(RCODE.NXDOMAIN)), await upstream(t, () => undefined)];
  const first = await resolver(t, { upstreams: [none.at, bad.at] });
  t.equal(rcodeOf(await askUdp(first, 'example.com', 'A')), RCODE.NXDOMAIN);
  const second = await resolver(t, { upstreams: [bad.at] });
  t.equal(rcodeOf(await askUdp(second, 'example.com', 'A')), RCODE.SERVFAIL);
});

t.test('25: a reply with another id, question or letter case is not believed', async (t) => {
  const raw = (reply: Message) => Uint8Array.from(reply.question?.raw ?? []);
  const lies: readonly Change[] = [
    (reply) => ({ id: reply.id ^ 1 }),
    (reply) => ({ question: { name: 'other.com', type: 1, class: reply.question?.class ?? 1 } }),
    // the query's letters are of random case; another case is another question
    (reply) => ({
      question: { ...reply.question!, raw: raw(reply).map((byte) => (byte > 64 ? byte ^ 32 : byte)) },
    }),
    (reply) => ({ flags: reply.flags & ~FLAG.QR }),
  ];
  for (const lie of lies) {
    const bad = await upstream(t, lie);
    const at = await resolver(t, { upstreams: [bad.at] });
    t.equal(rcodeOf(await askUdp(at, 'example.com', 'A')), RCODE.SERVFAIL);
  }
});

t.test('an answer that was cut is asked for again by TCP', async (t) => {
  const cut: Change = (reply) => ({ flags: reply.flags | FLAG.TC, answers: [] });
  const { at: server, asked } = await upstream(t, cut);
  const at = await resolver(t, { upstreams: [server] });
  const reply = await askUdp(at, 'example.com', 'A');
  t.equal(reply.answers.length, 1);
  t.notOk(reply.flags & FLAG.TC);
  t.equal(asked.length, 2);
});

/** A time that a test moves. */
function handClock() {
  let ms = 1_000_000;
  return { now: () => ms, pass: (seconds: number) => (ms += seconds * 1_000) };
}

const record = (name: string, ttl: number) =>
  ({ type: 'A', name, class: CLASS.IN, ttl, address: '192.0.2.1' }) as const;
const withTtl =
  (ttl: number): Change =>
  (reply) => ({ answers: [record(reply.question?.name ?? '', ttl)] });

t.test('28: an answer is kept as long as it may be, its time runs, and 0 is not kept', async (t) => {
  const { now, pass } = handClock();
  const [kept, unkept] = [await upstream(t, withTtl(300)), await upstream(t, withTtl(0))];
  const at = await resolver(t, { now, upstreams: [kept.at], zones: { zero: [unkept.at] } });
  await askUdp(at, 'a.example', 'A');
  pass(100);
  t.match((await askUdp(at, 'a.example', 'A')).answers, [{ ttl: 200 }]);
  t.equal(kept.asked.length, 1);
  pass(201);
  t.match((await askUdp(at, 'a.example', 'A')).answers, [{ ttl: 300 }]);
  t.equal(kept.asked.length, 2);
  for (const _ of [1, 2]) await askUdp(at, 'a.zero', 'A');
  t.equal(unkept.asked.length, 2);
});

t.test('28: "no such name" is kept as long as its SOA says, and not at all without one', async (t) => {
  const { now, pass } = handClock();
  const soa = { type: 'SOA', name: 'example', class: CLASS.IN, ttl: 600, mname: 'a', rname: 'b' } as const;
  const times = { serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 60 };
  const none: Change = (reply) => ({ ...code(RCODE.NXDOMAIN)(reply), authorities: [{ ...soa, ...times }] });
  const [kept, unkept] = [await upstream(t, none), await upstream(t, code(RCODE.NXDOMAIN))];
  const at = await resolver(t, { now, upstreams: [kept.at], zones: { org: [unkept.at] } });
  for (const _ of [1, 2]) t.equal(rcodeOf(await askUdp(at, 'a.example', 'A')), RCODE.NXDOMAIN);
  t.equal(kept.asked.length, 1);
  pass(61);
  await askUdp(at, 'a.example', 'A');
  t.equal(kept.asked.length, 2);
  for (const _ of [1, 2]) await askUdp(at, 'a.org', 'A');
  t.equal(unkept.asked.length, 2);
});

t.test(
  '30: when no upstream answers, the last answer is given for a day, and says that it is old',
  async (t) => {
    const { now, pass } = handClock();
    let silent = false;
    const server = await upstream(t, (reply) => (silent ? undefined : withTtl(60)(reply)));
    const { at, resolver: running_ } = await running(t, { now, upstreams: [server.at] });
    await askUdp(at, 'a.example', 'A');
    silent = true;
    pass(61);
    const stale = await askUdp(at, 'a.example', 'A', { edns: edns(1232) });
    t.match(stale.answers, [{ address: '192.0.2.1', ttl: 30 }]);
    const said = optionData(stale.edns!.options, OPTION_EXTENDED_ERROR);
    t.equal(Buffer.from(said!).readUInt16BE(), EXTENDED.staleAnswer);
    t.match(running_.metrics(), /weir_dns_cache_lookups_total\{outcome="stale"\} 1/);
    const { length } = server.asked;
    await askUdp(at, 'a.example', 'A');
    t.equal(server.asked.length, length, 'and upstreams are left alone for a while');
    pass(86_401);
    t.equal(rcodeOf(await askUdp(at, 'a.example', 'A')), RCODE.SERVFAIL);
  },
);

t.test('an answer that is in use is fetched again before it ends', async (t) => {
  const { now, pass } = handClock();
  const server = await upstream(t, withTtl(100));
  const at = await resolver(t, { now, upstreams: [server.at] });
  await askUdp(at, 'a.example', 'A');
  await askUdp(at, 'a.example', 'A');
  pass(95);
  t.match((await askUdp(at, 'a.example', 'A')).answers, [{ ttl: 5 }], 'at once, from what is there');
  for (let reply = await askUdp(at, 'a.example', 'A'); reply.answers[0]?.ttl !== 100; ) {
    reply = await askUdp(at, 'a.example', 'A');
  }
  t.equal(server.asked.length, 2);
});

t.test('what upstreams say of names of ours is left out', async (t) => {
  const lie = [
    { type: 'CNAME', name: 'a.example', class: CLASS.IN, ttl: 60, target: 'web.weir' },
    { ...record('web.weir', 60), address: '192.0.2.66' },
  ] as const;
  const server = await upstream(t, () => ({ answers: lie }));
  const directory = snapshot(1, { vips: [vip('/web', ['web.weir'])] });
  const at = await resolver(t, { upstreams: [server.at], directory });
  const { answers } = await askUdp(at, 'a.example', 'A');
  t.match(answers, [{ type: 'CNAME' }, { name: 'web.weir', address: '100.127.0.9' }]);
  t.match((await askUdp(at, 'web.weir', 'A')).answers, [{ address: '100.127.0.9' }]);
});

t.test('the same question of many clients is asked once', async (t) => {
  const server = await upstream(t, withTtl(0));
  const at = await resolver(t, { upstreams: [server.at] });
  const replies = await Promise.all(Array.from({ length: 20 }, () => askUdp(at, 'a.example', 'A')));
  t.ok(replies.every((reply) => reply.answers.length === 1));
  t.ok(server.asked.length < 20, `${server.asked.length}`);
});

t.test('an upstream that is ourselves, or leads back to us, does not make a ring', async (t) => {
  const upstreams: Upstream[] = [];
  const [one, other] = [await resolver(t, { upstreams }), await resolver(t, { upstreams: [] })];
  upstreams.push({ ...one });
  t.equal(rcodeOf(await askUdp(one, 'a.example', 'A')), RCODE.SERVFAIL);
  const ring = await resolver(t, { upstreams: [one] });
  upstreams[0] = { ...ring };
  const reply = await askUdp(ring, 'b.example', 'A');
  t.equal(rcodeOf(reply), RCODE.SERVFAIL);
  t.equal(rcodeOf(await askUdp(other, 'a.example', 'A')), RCODE.REFUSED);
});

t.test('an upstream that is silent comes last until it answers again', async (t) => {
  const { now, pass } = handClock();
  let silent = true;
  const bad = await upstream(t, (reply) => (silent ? undefined : withTtl(0)(reply)));
  const good = await upstream(t, withTtl(0));
  const at = await resolver(t, { now, upstreams: [bad.at, good.at] });
  for (let i = 0; i < 3; i++) await askUdp(at, 'a.example', 'A');
  t.equal(bad.asked.length, 3);
  await askUdp(at, 'a.example', 'A');
  t.equal(bad.asked.length, 3, 'it is not waited for');
  silent = false;
  pass(2);
  await askUdp(at, 'a.example', 'A');
  await askUdp(at, 'a.example', 'A');
  t.equal(bad.asked.length, 5);
});

t.test('27: in a race a quick SERVFAIL does not beat a good answer', async (t) => {
  const [bad, good] = [await upstream(t, code(RCODE.SERVFAIL)), await upstream(t)];
  const at = await resolver(t, { policy: 'race', upstreams: [bad.at, good.at] });
  t.equal((await askUdp(at, 'a.example', 'A')).answers.length, 1);
  t.same([bad.asked.length, good.asked.length], [1, 1], 'both were asked');
});

t.test('the quickest is asked first where that is wanted', async (t) => {
  const slow = await upstream(t, () => undefined);
  const quick = await upstream(t, withTtl(0));
  const upstreams = [slow.at, quick.at];
  // nothing by chance: the others are tried now and then
  const at = await resolver(t, { policy: 'fastest', chance: () => 0.5, upstreams });
  for (let i = 0; i < 8; i++) await askUdp(at, 'a.example', 'A');
  t.equal(slow.asked.length, 1, 'it was waited for once');
  t.equal(quick.asked.length, 8);
});

t.test(
  'more questions than may wait are refused at once, and one network cannot have them all',
  async (t) => {
    const server = await upstream(t, () => undefined);
    const at = await resolver(t, { upstreams: [server.at], mostInFlight: 4, timeoutMs: 500 });
    const ask = async (name: string) => {
      const reply = await askUdp(at, name, 'A', { edns: edns(1232) });
      t.equal(rcodeOf(reply), RCODE.SERVFAIL);
      return Buffer.from(optionData(reply.edns!.options, OPTION_EXTENDED_ERROR)!).readUInt16BE();
    };
    const said = await Promise.all([ask('first.example'), ask('second.example')]);
    t.same(said.sort(), [EXTENDED.other, EXTENDED.noReachableAuthority]);
  },
);

const shop = snapshot(1, {
  endpoints: [containerEndpoint('/shop/api', 'a', { addresses: [{ network: 'weir', ip: '127.0.0.1' }] })],
  vips: [
    vip('/shop/web', ['web.shop.weir']),
    vip('/web', ['web.weir'], { address: '100.127.0.10' }),
    vip('/db', ['db.weir'], { address: '100.127.0.11' }),
  ],
});

t.test('one word is a name of the group of who asks, or of one above it, in one query', async (t) => {
  const at = await resolver(t, { directory: shop });
  const ask = async (name: string) => (await askUdp(at, name, 'A')).answers;
  const alias = { type: 'CNAME', name: 'web', target: 'web.shop.weir', ttl: 5 };
  t.match(await ask('web'), [alias, { type: 'A', address: '100.127.0.9' }]);
  t.match(await ask('db'), [{ type: 'CNAME' }, { address: '100.127.0.11' }]);
  t.match(await ask('web.shop'), [{ target: 'web.shop.weir' }, { address: '100.127.0.9' }]);
  t.equal(rcodeOf(await askUdp(at, 'nobody', 'A')), RCODE.NXDOMAIN);
});

t.test('one word of somebody else is a name at the top, or nobody’s', async (t) => {
  const { endpoints: _, ...others } = shop;
  const at = await resolver(t, { directory: { ...others, endpoints: { set: [], gone: [] } } });
  t.match((await askUdp(at, 'web', 'A')).answers, [{ target: 'web.weir' }, { address: '100.127.0.10' }]);
  t.equal(rcodeOf(await askUdp(at, 'nobody', 'A')), RCODE.REFUSED);
});

t.test('a name of the world is not taken for an app of that name', async (t) => {
  const world = await upstream(t, withTtl(60));
  const directory = snapshot(1, { vips: [vip('/org/example', ['example.org.weir'])] });
  const at = await resolver(t, { directory, upstreams: [world.at] });
  t.match((await askUdp(at, 'example.org', 'A')).answers, [{ name: 'example.org', address: '192.0.2.1' }]);
});
