import t from 'tap';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import type { Message, ResourceRecord } from './types.ts';
import { FLAG } from './types.ts';

const base: Message = {
  ...{ id: 1, flags: FLAG.QR, question: { name: 'web.weir', type: 33, class: 1 } },
  ...{ answers: [], authorities: [], additionals: [], edns: undefined },
};
const head = { class: 1, ttl: 5 };
const hexFrom = (given: Message, at: number) => encodeMessage(given).toString('hex', at);

t.test('an owner that was asked is a pointer to the question', async (t) => {
  const given = {
    ...base,
    answers: [{ ...head, name: 'web.weir', type: 'A', address: '10.0.0.1' }],
  } as const;
  t.equal(hexFrom(given, 26), 'c00c00010001000000050004' + '0a000001');
});

t.test('a question echoed in another case serves compression all the same', async (t) => {
  const raw = Buffer.from('\x03WeB\x04wEIr\0\0\x01\0\x01', 'latin1');
  const question = { name: 'web.weir', type: 1, class: 1, raw };
  const given = {
    ...base,
    question,
    answers: [{ ...head, name: 'a.weir', type: 'CNAME', target: 'web.weir' }],
  } as const;
  t.equal(encodeMessage(given).toString('latin1', 12, 22), '\x03WeB\x04wEIr\0');
  t.equal(hexFrom(given, 26), '0161c010' + '0005000100000005' + '0002c00c');
});

t.test('an SRV target is written in full, and its address record points to it', async (t) => {
  const srv = {
    ...head,
    name: 'web.weir',
    type: 'SRV',
    priority: 1,
    weight: 2,
    port: 3,
    target: 'a.weir',
  } as const;
  const a = { ...head, name: 'a.weir', type: 'A', address: '10.0.0.1' } as const;
  const target = 26 + 12 + 6;
  t.equal(
    hexFrom({ ...base, answers: [srv], additionals: [a] }, target - 8),
    `000e${'000100020003'}0161047765697200c02c${'0001000100000005'}00040a000001`,
  );
});

t.test('a name beyond the reach of a pointer is still written right', async (t) => {
  const answers: ResourceRecord[] = Array.from({ length: 1800 }, (_, i) => ({
    ...{ ...head, name: `n${i}.weir`, type: 'CNAME', target: `t${i % 900}.far.weir` },
  }));
  const packet = encodeMessage({ ...base, answers });
  const read = decodeMessage(packet);
  t.ok(packet.length > 0x4000 + 10_000);
  t.same(read.kind === 'message' && read.message.answers, answers);
});

t.test('a value the wire cannot carry is refused with what is wrong', async (t) => {
  const encode = (record: ResourceRecord) => () => encodeMessage({ ...base, answers: [record] });
  const name = 'web.weir';
  const refused = (message: RegExp) => ({ code: 'WEIR_DNS_UNENCODABLE', message });
  t.throws(encode({ ...head, name, type: 'A', address: 'agent-1' }), refused(/agent-1.*IPv4/));
  t.throws(encode({ ...head, name, type: 'AAAA', address: '10.0.0.1' }), refused(/10\.0\.0\.1.*IPv6/));
  t.throws(
    encode({ ...head, name: `${'x'.repeat(64)}.weir`, type: 'A', address: '10.0.0.1' }),
    refused(/63 bytes/),
  );
  t.throws(encode({ ...head, name, type: 'TXT', strings: [Buffer.alloc(256)] }), refused(/256 bytes/));
});
