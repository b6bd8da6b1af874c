import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import t from 'tap';
import { chain } from './chain.ts';
import { Counters } from './counters.ts';
import { HotAnswers } from './hot/answers.ts';
import { defaultZoneOptions } from './options.ts';
import { QueryLog } from './query-log.ts';
import { responder } from './respond.ts';
import { askUdp, query } from './testing/client.ts';
import { containerEndpoint, snapshot, vip } from './testing/directory.ts';
import { runResolver } from './testing/resolver.ts';
import { decodeMessage } from './wire/decode.ts';
import { edns } from './wire/edns.ts';
import { Zone } from './zone.ts';

const directory = snapshot(1, {
  endpoints: [containerEndpoint('/shop/web', 'a')],
  vips: [vip('/shop/web', ['web.shop.weir'])],
});
const seeds = [
  query('web.shop.weir', 'A'),
  query('_http._tcp.web.shop.weir', 'SRV', { edns: edns(1232) }),
  query('a.mesos.thisdcos.global', 'ANY', { edns: edns(512, { options: Uint8Array.from([0, 3, 0, 0]) }) }),
];

const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 6 }),
    fc.nat(90),
    fc.uint8Array({ maxLength: 8 }),
  )
  .map(([seed, changes, length, tail]) => {
    const packet = Buffer.from(seed);
    for (const [at, byte] of changes) if (at < packet.length) packet[at] = byte;
    return Buffer.concat([packet.subarray(0, length), tail]);
  });

t.test('whatever arrives, the reply is none or a well-formed one that fits', async (t) => {
  const zone = new Zone(defaultZoneOptions);
  zone.apply(directory);
  const counters = new Counters();
  const parts = { zone: () => zone, zoneOptions: defaultZoneOptions, counters, chance: () => 0.5 };
  const rateLimit = { amplification: 2, quietBytes: 1_000 };
  const guard = { cookieSecret: new Uint8Array(16), salt: 1, rateLimit };
  const options = { udpPayload: 1232, recursion: false, guard, log: new QueryLog() };
  const hot = new HotAnswers({ ...options, counters, chance: () => 0.5 });
  const respond = responder({ answer: chain(parts), counters, ...options, hot });
  const client = { address: '127.0.0.1', port: 9, transport: 'udp' } as const;
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 100 })), (packet) => {
      const reply = respond(packet, client);
      if (reply === undefined) return;
      assert(reply instanceof Uint8Array);
      assert(reply.length <= 1232);
      const read = decodeMessage(reply);
      assert.equal(read.kind, 'message');
      assert.equal(reply[0], packet[0]);
    }),
    { numRuns: 20_000 },
  );
  t.notMatch(counters.text(), /weir_dns_failures_total \d/, 'no handler threw');
});

t.test('a server that gets mutated packets goes on answering good ones', async (t) => {
  const { at } = await runResolver(t, { directory });
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  socket.connect(at.port, at.address);
  await once(socket, 'connect');
  const packets = fc.sample(mutated, 2_000);
  // few at once, or the kernel drops what its buffer cannot hold, and the good question with it
  for (let from = 0; from < packets.length; from += 50) {
    for (const packet of packets.slice(from, from + 50)) socket.send(packet);
    const { answers } = await askUdp(at, 'web.shop.weir', 'A');
    if (answers.length !== 1) t.fail(`no good answer after ${from + 50} packets`);
  }
  t.pass('every good question was answered');
});
