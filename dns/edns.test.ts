import t, { type Test } from 'tap';
import { chooseSockets } from './choose-sockets.ts';
import { EXTENDED } from './extended.ts';
import { plainSockets } from './plain-sockets.ts';
import type { SocketLayer } from './sockets.ts';
import { askUdp, query, TcpSession, udpExchange } from './testing/client.ts';
import { containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';
import {
  edns,
  OPTION_COOKIE,
  OPTION_EXTENDED_ERROR,
  OPTION_NSID,
  optionBytes,
  optionData,
} from './wire/edns.ts';
import { FLAG, type Message, RCODE, rcodeOf } from './wire/types.ts';

/** Options of EDNS: cookies (RFC 7873, RFC 9018), NSID (RFC 5001), extended errors (RFC 8914); and the rate limit. */
const endpoints = Array.from({ length: 10 }, (_, i) =>
  containerEndpoint('/web', `i${i}`, { addresses: [{ network: 'weir', ip: `100.64.2.${i}` }] }),
);
const directory = snapshot(1, { endpoints, vips: [vip('/web', ['web.weir'])] });
const client = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function withOptions(...options: Parameters<typeof optionBytes>[0]) {
  return { edns: edns(1232, { options: optionBytes(options) }) };
}

function withCookie(data: Uint8Array) {
  return withOptions({ code: OPTION_COOKIE, data });
}

function option(message: Message, code: number): Buffer | undefined {
  const data = message.edns && optionData(message.edns.options, code);
  return data && Buffer.from(data);
}

for (const sockets of new Set([plainSockets, chooseSockets('fast')])) {
  t.test(sockets.name, (t) => suite(t, sockets));
}

async function suite(t: Test, sockets: SocketLayer): Promise<void> {
  t.test('a client with a cookie gets one of ours, hot or not, and may show it again', async (t) => {
    const { at } = await runResolver(t, { directory, parts: { sockets } });
    const first = await askUdp(at, 'web.weir', 'A', withCookie(client));
    const given = option(first, OPTION_COOKIE)!;
    t.equal(given.length, 24);
    t.same(given.subarray(0, 8), Buffer.from(client));
    for (const _ of [1, 2]) {
      const again = await askUdp(at, 'web.weir', 'A', withCookie(given));
      t.same(option(again, OPTION_COOKIE), given);
      t.equal(again.answers.length, 1);
    }
    t.equal(option(await askUdp(at, 'web.weir', 'A', { edns: edns(1232) }), OPTION_COOKIE), undefined);
  });

  t.test('a cookie of a length that cannot be is malformed', async (t) => {
    const { at } = await runResolver(t, { directory, parts: { sockets } });
    const reply = await askUdp(at, 'web.weir', 'A', withCookie(client.subarray(1)));
    t.equal(rcodeOf(reply), RCODE.FORMERR);
    t.equal(reply.answers.length, 0);
  });

  t.test('a flood is told to come by TCP, one that shows its cookie is answered', async (t) => {
    const rateLimit = { amplification: 1, quietBytes: 2_000 };
    const { at, resolver } = await runResolver(t, { directory, server: { rateLimit }, parts: { sockets } });
    const given = option(await askUdp(at, 'web.weir', 'A', withCookie(client)), OPTION_COOKIE)!;
    const ask = (parts = {}) => askUdp(at, 'web.marathon.mesos', 'A', parts);
    let cut = await ask();
    for (let i = 0; i < 100 && (cut.flags & FLAG.TC) === 0; i++) cut = await ask();
    t.ok(cut.flags & FLAG.TC);
    t.equal(cut.answers.length, 0);
    const proven = await ask(withCookie(given));
    t.equal(proven.answers.length, 10);
    t.notOk(proven.flags & FLAG.TC);
    t.match(resolver.metrics(), /weir_dns_rate_limited_total \d/);
    const session = await TcpSession.open(at);
    t.teardown(() => session.socket.destroy());
    session.send(query('web.marathon.mesos', 'A'));
    t.equal((await session.next())?.answers.length, 10);
  });
}

t.test('a server that has a name tells it to who asks for it', async (t) => {
  const { at } = await runResolver(t, { directory, server: { identity: 'h1' } });
  const asked = withOptions({ code: OPTION_NSID, data: new Uint8Array(0) });
  t.equal(option(await askUdp(at, 'web.weir', 'A', asked), OPTION_NSID)?.toString(), 'h1');
  t.equal(option(await askUdp(at, 'web.weir', 'A', { edns: edns(1232) }), OPTION_NSID), undefined);
});

t.test('a refusal says why, if the client can be told', async (t) => {
  const { at } = await runResolver(t, { directory });
  const reply = await askUdp(at, 'example.com', 'A', { edns: edns(1232) });
  t.equal(rcodeOf(reply), RCODE.REFUSED);
  t.equal(option(reply, OPTION_EXTENDED_ERROR)?.readUInt16BE(), EXTENDED.notAuthoritative);
  t.equal((await askUdp(at, 'example.com', 'A')).edns, undefined);
});

t.test('without a Directory no name is said not to exist', async (t) => {
  const { at } = await runResolver(t);
  const reply = await askUdp(at, 'web.weir', 'A', { edns: edns(1232) });
  t.equal(rcodeOf(reply), RCODE.SERVFAIL);
  t.equal(option(reply, OPTION_EXTENDED_ERROR)?.readUInt16BE(), EXTENDED.notReady);
});

t.test('no question but a cookie brings a cookie', async (t) => {
  const { at } = await runResolver(t, { directory });
  const packet = query('.', 'A', withCookie(client));
  const bare = Buffer.concat([packet.subarray(0, 12), packet.subarray(17)]);
  bare.writeUInt16BE(0, 4);
  const reply = await udpExchange(at, bare);
  t.equal(reply.readUInt16BE(2) & 15, RCODE.NOERROR);
  t.equal(reply.length, 12 + 11 + 28);
});
