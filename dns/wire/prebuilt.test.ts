import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decodeMessage } from './decode.ts';
import { edns, udpLimit } from './edns.ts';
import { encodeMessage } from './encode.ts';
import { mixCase } from './name-text.ts';
import { fillAnswer, prebuild } from './prebuilt.ts';
import { type Query, questionOf, readQuestion } from './question.ts';
import { fillRejection, fillStatus, type Target } from './reply.ts';
import { message } from './testing/arbitrary.ts';
import type { Edns, Message, Question } from './types.ts';
import { FLAG, RCODE, rcodeOf } from './types.ts';

const empty = { answers: [], authorities: [], additionals: [], edns: undefined };

function queryFor(question: Question, opt?: Edns): Query {
  const plain = encodeMessage({ id: 0xbeef, flags: FLAG.RD, question, ...empty, edns: opt });
  mixCase(plain.subarray(12, plain.length - (opt ? 11 : 0)), () => 1);
  const read = readQuestion(plain);
  if (read.kind !== 'query') throw new Error(read.kind);
  return read;
}

function target(limit: number, turn = 0): Target {
  return { into: Buffer.alloc(66_000, 0xaa), at: 5, limit, udpSize: 1232, turn };
}

function written(to: Target, length: number): Buffer {
  return Buffer.from(to.into.subarray(to.at, to.at + length));
}

function decoded(packet: Buffer): Message {
  const read = decodeMessage(packet);
  if (read.kind !== 'message') throw new Error(read.kind);
  return read.message;
}

t.test('a prebuilt answer filled in has the bytes of the same reply encoded for the query', async () => {
  const limits = fc.integer({ min: 512, max: 1300 });
  fc.assert(
    fc.property(message, limits, fc.boolean(), (given, limit, withOpt) => {
      const question = given.question ?? { name: '', type: 1, class: 1 };
      const query = queryFor(question, withOpt ? edns(4096, { flags: 0x8000 }) : undefined);
      const to = target(limit);
      const length = fillAnswer(prebuild({ ...given, flags: FLAG.AA }), query, to);
      const expected = encodeMessage(
        {
          ...given,
          id: 0xbeef,
          flags: FLAG.QR | FLAG.AA | FLAG.RD,
          question: questionOf(query),
          edns: withOpt ? edns(1232, { flags: 0x8000 }) : undefined,
        },
        limit,
      );
      assert.equal(written(to, length).toString('hex'), expected.toString('hex'));
      assert.equal(to.into[4], 0xaa);
      assert.equal(to.into[5 + length], 0xaa, 'nothing is written beyond the reply');
    }),
    { numRuns: 500 },
  );
});

const question = { name: 'web.weir', type: 1, class: 1 };
const addresses = Array.from({ length: 40 }, (_, i) => `10.0.0.${i}`);
const many = prebuild({
  ...{ id: 0, flags: FLAG.AA, question, ...empty },
  answers: addresses.map((address) => ({ name: 'web.weir', class: 1, ttl: 5, type: 'A', address })),
});

function addressesOf(reply: Message): string[] {
  return reply.answers.map((record) => ('address' in record ? record.address : ''));
}

t.test('the turn decides which address comes first, whole or cut', async (t) => {
  for (const turn of [0, 1, 39, 40, 79]) {
    for (const limit of [512, 4096]) {
      const to = target(limit, turn);
      const reply = decoded(written(to, fillAnswer(many, queryFor(question), to)));
      const first = turn % 40;
      const expected = [...addresses.slice(first), ...addresses.slice(0, first)];
      t.same(addressesOf(reply), expected.slice(0, limit === 512 ? 30 : 40), `turn ${turn}, limit ${limit}`);
      t.equal((reply.flags & FLAG.TC) !== 0, limit === 512);
    }
  }
});

t.test('answers that hold names keep their order', async (t) => {
  const cname = { name: 'web.weir', class: 1, ttl: 5, type: 'CNAME', target: 'a.weir' } as const;
  const a = { name: 'a.weir', class: 1, ttl: 5, type: 'A', address: '10.0.0.1' } as const;
  const to = target(512, 1);
  const answer = prebuild({ id: 0, flags: 0, question, ...empty, answers: [cname, a] });
  t.match(decoded(written(to, fillAnswer(answer, queryFor(question), to))).answers, [cname, a]);
});

t.test('an answer built for another question is refused', async (t) => {
  const query = queryFor({ ...question, name: 'other.weir' });
  t.throws(() => fillAnswer(many, query, target(512)), { code: 'WEIR_DNS_UNENCODABLE' });
});

t.test('a status is sent with the question and its case, and an OPT only to who sent one', async (t) => {
  const plain = queryFor(question);
  const to = target(512);
  const status = { flags: FLAG.RA, rcode: RCODE.REFUSED };
  const reply = decoded(written(to, fillStatus(plain, status, to)));
  t.match(reply, { id: 0xbeef, flags: FLAG.QR | FLAG.RD | FLAG.RA | RCODE.REFUSED, edns: undefined });
  t.equal(Buffer.from(reply.question?.raw ?? []).toString('latin1', 1, 4), 'WEB');
  const withOpt = queryFor(question, edns(1232));
  t.match(decoded(written(to, fillStatus(withOpt, status, to))), { edns: { udpSize: 1232, version: 0 } });
});

t.test('a rejected packet gets the code of its fault', async (t) => {
  const reply = (hex: string) => {
    const read = readQuestion(Buffer.from(hex, 'hex'));
    if (read.kind === 'query' || read.kind === 'drop') throw new Error(read.kind);
    const to = target(512);
    return decoded(written(to, fillRejection(read, to)));
  };
  const selfPointing = reply('123401000001000000000000c00c00010001');
  t.match(selfPointing, { id: 0x1234, question: undefined, flags: FLAG.QR | FLAG.RD | RCODE.FORMERR });
  t.match(reply('12342000000100000000000000000a0001'), { flags: 0xa004 }, 'opcode echoed, NOTIMP');
  const badvers = reply('1234000000010000000000010000010001' + '00002904d0000100000000');
  t.equal(rcodeOf(badvers), RCODE.BADVERS);
  t.equal(badvers.edns?.version, 0);
});

t.test('the limit over UDP is what the client takes, from 512 to the cap', async (t) => {
  t.equal(udpLimit(undefined, 1232), 512);
  t.equal(udpLimit(edns(0), 1232), 512);
  t.equal(udpLimit(edns(800), 1232), 800);
  t.equal(udpLimit(edns(4096), 1232), 1232);
});
