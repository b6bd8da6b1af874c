import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { toName, wireLength } from './name.ts';
import { mixCase, plainNameEnd, plainNameText } from './name-text.ts';
import { wireName } from './testing/arbitrary.ts';
import { Writer } from './writer.ts';

const readable: readonly (readonly [string, string])[] = [
  ['', ''],
  ['.', ''],
  ['Web.SHOP.weir.', 'web.shop.weir'],
  ['a\\.b.c', 'a\\.b.c'],
  ['a\\046b.c', 'a\\.b.c'],
  ['a\\\\b', 'a\\\\b'],
  ['my printer.local', 'my\\032printer.local'],
  ['\\000\\255', '\\000\\255'],
  ['\\065', 'a'],
  ['a\\.', 'a\\.'],
  [`${'x'.repeat(63)}.y`, `${'x'.repeat(63)}.y`],
];

t.test('a name is made of what people write', async (t) => {
  for (const [text, name] of readable) t.same(toName(text), { kind: 'name', name }, text);
});

t.test('a text that is no name is refused with its reason', async (t) => {
  const refusals: readonly (readonly [string, RegExp])[] = [
    ['.a', /empty label/],
    ['a..b', /empty label/],
    ['..', /empty label/],
    ['x'.repeat(64), /64 bytes/],
    [`${'x'.repeat(63)}.`.repeat(4), /257 bytes/],
    ['a\\', /unreadable/],
    ['a\\25', /unreadable/],
    ['a\\256', /unreadable/],
    ['é', /unreadable/],
  ];
  for (const [text, reason] of refusals) {
    const read = toName(text);
    t.match(read.kind === 'invalid' && read.reason, reason, text);
  }
});

t.test('a name of any bytes goes to text and back to the same wire form in lower case', async () => {
  fc.assert(
    fc.property(wireName, (wire) => {
      assert.equal(plainNameEnd(wire, 0), wire.length);
      const name = plainNameText(wire, 0, wire.length);
      const to = new Writer(512);
      to.wholeName(name);
      const back = to.bytes.subarray(0, to.at);
      assert.equal(back.toString('hex'), lowerCased(wire).toString('hex'));
      assert.equal(wireLength(name), wire.length);
      assert.deepEqual(toName(name), { kind: 'name', name });
    }),
    { numRuns: 1000 },
  );
});

function lowerCased(wire: Buffer): Buffer {
  const copy = Buffer.from(wire);
  for (let at = 0; copy[at]; at += (wire[at] ?? 0) + 1) {
    for (let i = at + 1; i <= at + (wire[at] ?? 0); i++) {
      const byte = copy[i] ?? 0;
      if (byte >= 0x41 && byte <= 0x5a) copy[i] = byte + 32;
    }
  }
  return copy;
}

t.test('an encoder refuses labels and names that do not fit', async (t) => {
  const encode = (name: string) => () => new Writer(512).name(name);
  const refused = { code: 'WEIR_DNS_UNENCODABLE' };
  t.throws(encode('x'.repeat(64)), refused);
  t.throws(encode('a..b'), refused);
  t.throws(encode('a.'), refused);
  t.throws(encode(`${'x'.repeat(60)}.`.repeat(5)), refused);
  t.throws(encode('é'), refused);
});

t.test('mixing the case changes letters only', async (t) => {
  const raw = Buffer.from('\x0dAbz-09@[`{Z_a\x02cd\0\0A\0A', 'latin1');
  const upper = Buffer.from(raw);
  mixCase(upper, () => 1);
  t.equal(upper.toString('latin1'), '\x0dABZ-09@[`{Z_A\x02CD\0\0A\0A');
  mixCase(upper, () => 0);
  t.equal(upper.toString('latin1'), '\x0dabz-09@[`{z_a\x02cd\0\0A\0A');
});
