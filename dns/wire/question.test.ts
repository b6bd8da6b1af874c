import t from 'tap';
import { questionOf, readQuestion } from './question.ts';

// id 0x1234, RD
const header = (counts: string, flags = '0100') => `1234${flags}${counts}`;
const webWeir = '0357654204776569720000010001'; // WeB.weir A IN
const opt = '00002904d0000080000000';
const long = `${`3f${'61'.repeat(63)}`.repeat(3)}3d${'61'.repeat(61)}00`; // 255 bytes
const read = (hex: string) => readQuestion(Buffer.from(hex, 'hex'));
const kindOf = (hex: string) => read(hex).kind;

t.test('a question is read with its case kept for the echo', async (t) => {
  const query = read(header('0001000000000000') + webWeir);
  t.match(query, { kind: 'query', id: 0x1234, flags: 0x0100, name: 'web.weir', type: 1, class: 1 });
  t.equal(query.kind === 'query' && Buffer.from(questionOf(query).raw ?? []).toString('hex'), webWeir);
});

t.test('the root is a name', async (t) => {
  t.match(read(`${header('0001000000000000')}0000020001`), { kind: 'query', name: '', type: 2 });
});

t.test('an OPT is read wherever it stands among the additional records', async (t) => {
  const a = 'c00c0001000100000000000401020304';
  const query = read(header('0001000000000002') + webWeir + a + opt);
  t.match(query, { kind: 'query', edns: { udpSize: 1232, version: 0, flags: 0x8000 } });
});

t.test('a packet nobody should answer is dropped', async (t) => {
  t.equal(kindOf(''), 'drop', 'empty');
  t.equal(kindOf('12340100000100000000 00'.replace(' ', '')), 'drop', '11 bytes');
  t.equal(kindOf(header('0001000000000000', '8100') + webWeir), 'drop', 'a response');
});

t.test('a malformed packet is told from a good one', async (t) => {
  const vectors: Readonly<Record<string, string>> = {
    'the 18 bytes whose name points to itself': `${header('0001000000000000')}c00c00010001`,
    'a pointer forward': `${header('0001000000000000')}c01200010001036162630000010001`,
    'a pointer into the header': `${header('0001000000000000')}c00400010001`,
    'a reserved label type': `${header('0001000000000000')}416100010001`,
    'a label over the end': `${header('0001000000000000')}3f6100010001`,
    'a name over 255 bytes': `${header('0001000000000000')}${`3f${'61'.repeat(63)}`.repeat(4)}0000010001`,
    'no type and class': `${header('0001000000000000')}036162630000`,
    'no question': header('0000000000000000'),
    'two questions': header('0002000000000000') + webWeir + webWeir,
    'a byte after the end': `${header('0001000000000000') + webWeir}00`,
    'a record that is missing': header('0001000000000001') + webWeir,
    'a record over the end': `${header('0001000000000001') + webWeir}0000290400000000000001`,
    'two OPT': header('0001000000000002') + webWeir + opt + opt,
    'an OPT among the answers': header('0001000100000000') + webWeir + opt,
    'an OPT owned by a name': `${header('0001000000000001') + webWeir}c00c002904d0000000000000`,
    'an option over the end': `${header('0001000000000001') + webWeir}000029020000000000000400030001`,
    'an owner that pointers make longer than 255 bytes': `${header('0001000000000001')}${long}00010001${`3f${'61'.repeat(63)}`}c00c00010001000000000000`,
    'an owner that points to itself': `${header('0001000000000001') + webWeir}c01a00010001000000000000`,
  };
  for (const [what, hex] of Object.entries(vectors))
    t.match(read(hex), { kind: 'formerr', id: 0x1234 }, what);
});

t.test('a name of 255 bytes is read', async (t) => {
  t.equal(kindOf(`${header('0001000000000000')}${long}00010001`), 'query');
  t.equal(kindOf(`${header('0001000000000000')}${long.replace('3d', '3e61')}00010001`), 'formerr');
});

t.test('a malformed packet keeps its question for the echo when that much can be read', async (t) => {
  t.match(read(`${header('0001000000000000') + webWeir}00`), { questionEnd: 26 });
  t.match(read(`${header('0001000000000000')}c00c00010001`), { questionEnd: 12 });
});

t.test('an opcode but QUERY is not implemented, whatever follows', async (t) => {
  t.match(read(header('0001000000000000', '2000') + webWeir), { kind: 'notimp', questionEnd: 26 });
  t.match(read(header('0001000000000001', '2800') + webWeir + opt), {
    kind: 'notimp',
    edns: { udpSize: 1232 },
  });
  t.match(read(header('0000000000000000', '2800')), { kind: 'notimp', questionEnd: 12 });
});

t.test('an EDNS version we do not know is told', async (t) => {
  const version1 = '00002904d0000100000000';
  t.match(read(header('0001000000000001') + webWeir + version1), { kind: 'badvers', edns: { version: 1 } });
});

t.test('a query of only a cookie is told from one without a question', async (t) => {
  const cookie = '00002904d00000000000' + '0c000a00081122334455667788';
  t.match(read(header('0000000000000001') + cookie), { kind: 'cookie', questionEnd: 12 });
  t.equal(kindOf(header('0000000000000001') + opt), 'formerr');
});
