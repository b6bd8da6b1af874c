import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decodeMessage } from './decode.ts';
import { edns } from './edns.ts';
import { encodeMessage } from './encode.ts';
import { message } from './testing/arbitrary.ts';
import { ourLines } from './testing/oracle.ts';
import type { Message, ResourceRecord } from './types.ts';
import { FLAG } from './types.ts';

const name = 'web.weir';
const a = (owner: string, count: number): ResourceRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    name: owner,
    class: 1,
    ttl: 5,
    type: 'A',
    address: `10.0.0.${i}`,
  }));
const srv = (target: string): ResourceRecord => ({
  ...{ name, class: 1, ttl: 5, type: 'SRV' },
  ...{ priority: 0, weight: 1, port: 80, target },
});
const soa: ResourceRecord = {
  ...{ name: 'weir', class: 1, ttl: 5, type: 'SOA', mname: 'ns.weir', rname: 'root.weir' },
  ...{ serial: 1, refresh: 60, retry: 60, expire: 60, minimum: 5 },
};
const base: Message = {
  ...{ id: 1, flags: FLAG.QR, question: { name, type: 1, class: 1 } },
  ...{ answers: [], authorities: [], additionals: [], edns: undefined },
};

function sent(given: Message, limit: number) {
  const packet = encodeMessage(given, limit);
  const read = decodeMessage(packet);
  if (read.kind !== 'message') throw new Error(read.kind);
  const { answers, authorities, additionals, flags } = read.message;
  const counts = [answers.length, authorities.length, additionals.length];
  return { length: packet.length, counts, tc: (flags & FLAG.TC) !== 0, message: read.message };
}

t.test('a message of exactly the limit is whole', async (t) => {
  const given = { ...base, answers: a(name, 30) };
  const whole = encodeMessage(given).length;
  t.match(sent(given, whole), { length: whole, counts: [30, 0, 0], tc: false });
  t.match(sent(given, whole - 1), { length: whole - 16, counts: [29, 0, 0], tc: true });
});

t.test('additional sets go first, whole, from the end, without TC', async (t) => {
  const additionals = [...a('a.weir', 2), ...a('b.weir', 3)];
  const given = { ...base, answers: [srv('a.weir'), srv('b.weir')], additionals };
  const whole = encodeMessage(given).length;
  t.match(sent(given, whole), { counts: [2, 0, 5], tc: false });
  t.match(sent(given, whole - 1), { counts: [2, 0, 2], tc: false }, 'b has three addresses or none');
  t.match(sent(given, whole - 48), { counts: [2, 0, 2], tc: false });
  t.match(sent(given, whole - 49), { counts: [2, 0, 0], tc: false });
  t.match(sent(given, whole - 80), { counts: [2, 0, 0], tc: false });
  t.match(sent(given, whole - 81), { counts: [1, 0, 0], tc: true });
});

t.test('an authority section beside an answer is optional, and goes before the answer', async (t) => {
  const given = { ...base, answers: a(name, 2), authorities: [soa] };
  t.match(sent(given, encodeMessage(given).length - 1), { counts: [2, 0, 0], tc: false });
});

t.test('the SOA of a negative answer is needed: without it TC is set', async (t) => {
  const given = { ...base, authorities: [soa], additionals: a('a.weir', 1) };
  const whole = encodeMessage(given).length;
  t.match(sent(given, whole - 18), { counts: [0, 1, 0], tc: false }, 'without the 18 bytes of the address');
  t.match(sent(given, whole - 19), { counts: [0, 0, 0], tc: true });
});

t.test('the OPT stays when records go, and loses its options before it goes itself', async (t) => {
  const options = Buffer.from('000a00081122334455667788', 'hex');
  const given = { ...base, answers: a(name, 40), edns: edns(1232, { options }) };
  const cut = sent(given, 512);
  t.ok(cut.length <= 512 && cut.length > 512 - 16);
  t.equal(cut.message.edns?.options.length, 12);
  t.equal(sent(given, 26 + 11).message.edns?.options.length, 0);
  t.match(sent(given, 26 + 10), { length: 26, message: { edns: undefined }, tc: true });
});

t.test('a limit without room for the question leaves a header with TC', async (t) => {
  t.match(sent({ ...base, answers: a(name, 1) }, 25), { length: 12, counts: [0, 0, 0], tc: true });
  t.throws(() => encodeMessage(base, 11), { code: 'WEIR_DNS_UNENCODABLE' });
});

t.test('a message over 65535 bytes is cut like any other', async (t) => {
  const cut = sent({ ...base, answers: Array.from({ length: 20 }, () => a(name, 250)).flat() }, 70_000);
  t.ok(cut.length <= 65_535 && cut.length > 65_519 && cut.tc);
});

t.test(
  'whatever the limit, the reply keeps it, can be read, and is a beginning of every section',
  async () => {
    fc.assert(
      fc.property(message, fc.integer({ min: 12, max: 1400 }), (any, limit) => {
        const given = { ...any, flags: any.flags & ~FLAG.TC };
        const packet = encodeMessage(given, limit);
        assert.ok(packet.length <= limit);
        const read = decodeMessage(packet);
        if (read.kind !== 'message') throw new Error(read.kind);
        for (const section of ['answers', 'authorities', 'additionals'] as const) {
          const kept: readonly ResourceRecord[] = read.message[section];
          const only = (records: readonly ResourceRecord[]) => ourLines({ ...base, answers: records });
          assert.deepEqual(only(kept), only(given[section].slice(0, kept.length)));
        }
        const lacks = (['answers', 'authorities'] as const).find((section) => given[section].length > 0);
        const missing = lacks !== undefined && read.message[lacks].length < given[lacks].length;
        const noQuestion = read.message.question === undefined;
        assert.equal((read.message.flags & FLAG.TC) !== 0, missing || noQuestion);
      }),
      { numRuns: 1000 },
    );
  },
);
