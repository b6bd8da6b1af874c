import fc from 'fast-check';
import t from 'tap';
import { ChunkedBody } from './chunked.ts';
import { FieldTable } from './fields.ts';
import { Slices } from './slices.ts';

type Read = { readonly out: string; readonly rest: string; readonly verdict: 'done' | 'bad' | 'more' };

/** Feeds `text` in pieces cut at `cuts`, each in a buffer that is overwritten afterwards. */
function read(text: string, as: 'coded' | 'payload' = 'coded', cuts: readonly number[] = []): Read {
  const body = new ChunkedBody({ as, fields: new FieldTable(32) });
  const slices = new Slices();
  const bounds = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  let out = '';
  for (let i = 1; i < bounds.length; i++) {
    const piece = Buffer.from(text.slice(bounds[i - 1], bounds[i]), 'latin1');
    slices.clear();
    const used = body.read(piece, 0, piece.length, slices);
    out += slices.copy(piece).toString('latin1');
    if (body.bad) return { out: '', rest: '', verdict: 'bad' };
    if (body.done) return { out, rest: text.slice(bounds[i - 1]! + used), verdict: 'done' };
  }
  return { out, rest: '', verdict: 'more' };
}

t.test('a chunked body ends where its last chunk says', async (t) => {
  t.same(read('5\r\nhello\r\n0\r\n\r\nGET /'), {
    out: '5\r\nhello\r\n0\r\n\r\n',
    rest: 'GET /',
    verdict: 'done',
  });
});

t.test('a chunked body loses its extensions and its forbidden trailers', async (t) => {
  const text = '5;a="b;c";d\r\nhello\r\n0;x\r\nX-Sum: 1\r\nContent-Type: a\r\nHost: b\r\n\r\n';
  t.equal(read(text).out, '5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n');
});

t.test('a chunked body can be read as payload alone', async (t) => {
  t.equal(read('5\r\nhello\r\nA;x\r\n0123456789\r\n0\r\nT: v\r\n\r\n', 'payload').out, 'hello0123456789');
});

const bad = [
  'x\r\n',
  '\r\n',
  '5\nhello',
  '5\r\nhelloX',
  '5\r\nhello\n',
  '5 \r\nhello\r\n',
  ' 5\r\nhello\r\n',
  '-5\r\nhello',
  '+5\r\nhello',
  '0x5\r\nhello',
  '5_0\r\nhello',
  '11111111111111\r\n',
  '5;a\nhello',
  '5;a\rb\r\nhello',
  '5;a\0\r\nhello',
  `5;${'a'.repeat(20_000)}\r\nhello`,
  '5;\r\nhello\r\n',
  '5; a\r\nhello\r\n',
  '5;a \r\nhello\r\n',
  '5;a=\r\nhello\r\n',
  '5;a="b\r\nhello\r\n',
  '5;a="b"c\r\nhello\r\n',
  '0\r\nContent-Length: 3\r\n\r\n',
  '0\r\nTransfer-Encoding: chunked\r\n\r\n',
  '0\r\nbad trailer\r\n\r\n',
  '0\r\nA: b\n\n',
  '0\r\n A: b\r\n\r\n',
  '0\r\nA : b\r\n\r\n',
  `0\r\nA: ${'b'.repeat(9_000)}\r\n\r\n`,
];
for (const text of bad) {
  t.test(`a chunked body ${JSON.stringify(text.slice(0, 30))} is refused however it is cut`, async (t) => {
    t.equal(read(text).verdict, 'bad');
    t.equal(
      read(
        text,
        'coded',
        [...text.slice(0, 100)].map((_, i) => i),
      ).verdict,
      'bad',
    );
  });
}

const body = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z\r\n0-9]{1,40}$/), fc.constantFrom('', ';x', ';a=b;c')), {
    maxLength: 6,
  })
  .map((chunks) => ({
    payload: chunks.map(([data]) => data).join(''),
    text: `${chunks.map(([data, extension]) => `${data.length.toString(16)}${extension}\r\n${data}\r\n`).join('')}0\r\nT: v\r\n\r\n`,
  }));

t.test('a chunked body is read the same wherever it is cut', async () => {
  const cuts = fc.array(fc.nat(500), { maxLength: 30 });
  fc.assert(
    fc.property(body, cuts, fc.string({ unit: 'binary-ascii' }), ({ text, payload }, cuts, rest) => {
      const whole = read(text + rest);
      const cut = read(text + rest, 'coded', cuts);
      const plain = read(text + rest, 'payload', cuts);
      return whole.out === cut.out && cut.rest === rest && plain.out === payload && plain.rest === rest;
    }),
  );
});

t.test('a damaged chunked body gets the same verdict wherever it is cut', async () => {
  const damage = fc.tuple(fc.nat(400), fc.nat(255));
  const cuts = fc.array(fc.nat(500), { maxLength: 30 });
  fc.assert(
    fc.property(body, damage, cuts, ({ text }, [place, byte], cuts) => {
      const at = place % text.length;
      const damaged = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1);
      return JSON.stringify(read(damaged)) === JSON.stringify(read(damaged, 'coded', cuts));
    }),
    { numRuns: 2_000 },
  );
});
