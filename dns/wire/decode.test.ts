import t from 'tap';
import { decodeMessage, echoesQuestion } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { rcodeOf } from './types.ts';

const read = (hex: string) => decodeMessage(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const question = '0161 0162 00 0001 0001'; // a.b A IN, ends at 21

function body(hex: string) {
  const decoded = read(hex);
  if (decoded.kind !== 'message') throw new Error(decoded.kind);
  return decoded.message;
}

t.test('compressed names are read in owners and in data', async (t) => {
  const cname = 'c00c 0005 0001 00000005 0004 0163 c00e';
  const a = 'c021 0001 0001 00000005 0004 01020304';
  t.match(body(`0001 8400 0001 0002 0000 0000 ${question} ${cname} ${a}`).answers, [
    { name: 'a.b', type: 'CNAME', ttl: 5, target: 'c.b' },
    { name: 'c.b', type: 'A', address: '1.2.3.4' },
  ]);
});

t.test('a compressed SRV target is read', async (t) => {
  const srv = 'c00c 0021 0001 00000005 0008 0000 0001 7a69 c00c';
  t.match(body(`0001 8400 0001 0001 0000 0000 ${question} ${srv}`).answers, [
    { type: 'SRV', priority: 0, weight: 1, port: 31337, target: 'a.b' },
  ]);
});

t.test('a pointer inside opaque data is written out, so the record can move to another packet', async (t) => {
  const mx = 'c00c 000f 0001 00000005 0006 000a 0143 c00e';
  const [record] = body(`0001 8400 0001 0001 0000 0000 ${question} ${mx}`).answers;
  t.equal(
    record?.type === 'opaque' && Buffer.from(record.data).toString('hex'),
    '000a01430162 00'.replace(' ', ''),
  );
});

t.test('a TTL with its highest bit set is zero', async (t) => {
  const a = 'c00c 0001 0001 80000001 0004 01020304';
  t.match(body(`0001 8400 0001 0001 0000 0000 ${question} ${a}`).answers, [{ ttl: 0 }]);
});

t.test('a response code is put together from header and OPT', async (t) => {
  const opt = '00 0029 04d0 01 00 0000 0000';
  t.equal(rcodeOf(body(`0001 8400 0001 0000 0000 0001 ${question} ${opt}`)), 16);
});

t.test('a response without a question is read', async (t) => {
  t.match(body('0001 8001 0000 0000 0000 0000'), { question: undefined, flags: 0x8001 });
});

t.test('a malformed response is told with its id', async (t) => {
  const vectors: Readonly<Record<string, string>> = {
    'an A of three bytes': 'c00c 0001 0001 00000005 0003 010203',
    'an A of five bytes': 'c00c 0001 0001 00000005 0005 0102030405',
    'data over the end': 'c00c 0001 0001 00000005 0005 01020304',
    'a name that ends before its data': 'c00c 0005 0001 00000005 0003 c00c00',
    'a name that ends after its data': 'c00c 0005 0001 00000005 0001 c00c',
    'a target that points to itself': 'c00c 0005 0001 00000005 0002 c021',
    'a TXT string over its data': 'c00c 0010 0001 00000005 0002 0561',
    'an owner that points forward': 'c020 0001 0001 00000005 0004 01020304',
    'an OPT among the answers': '00 0029 04d0 00 00 0000 0000',
  };
  for (const [what, hex] of Object.entries(vectors)) {
    t.match(read(`0007 8400 0001 0001 0000 0000 ${question} ${hex}`), { kind: 'formerr', id: 7 }, what);
  }
  t.match(
    read(`0007 8400 0002 0000 0000 0000 ${question} ${question}`),
    { kind: 'formerr' },
    'two questions',
  );
  t.match(read('0007 8400 00'), { kind: 'drop' });
});

t.test('an echo is compared byte for byte', async (t) => {
  const raw = Buffer.from('0141016200000100 01'.replace(' ', ''), 'hex');
  const sent = { name: 'a.b', type: 1, class: 1, raw };
  const flags = 0x8400;
  const none = { answers: [], authorities: [], additionals: [], edns: undefined };
  const echo = (given: typeof sent) =>
    body(encodeMessage({ id: 1, flags, question: given, ...none }).toString('hex'));
  t.equal(echoesQuestion(sent, echo(sent)), true);
  t.equal(echoesQuestion(sent, echo({ ...sent, raw: Buffer.from('016101620000010001', 'hex') })), false);
});
