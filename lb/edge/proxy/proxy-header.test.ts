import fc from 'fast-check';
import t from 'tap';
import { crc32c } from './crc32c.ts';
import { type ProxyEnds, renderProxyHeader, scanProxyHeader } from './proxy-header.ts';

const four = fc.ipV4();
const six = fc.constantFrom('::1', '2001:db8::5', 'fe80::1:2:3', '2001:db8:0:1:2:3:4:5', '::');
const end = (address: fc.Arbitrary<string>) => fc.record({ address, port: fc.nat(65_535) });
const ends = fc.oneof(
  fc.record({ source: end(four), destination: end(four) }),
  fc.record({ source: end(six), destination: end(six) }),
);
const versions = fc.constantFrom('v1' as const, 'v2' as const);

t.test('what is written is read, at whatever place it is cut, and what follows is left alone', async () => {
  fc.assert(
    fc.property(versions, ends, fc.nat(120), (version, both: ProxyEnds, cut) => {
      const header = Buffer.from(renderProxyHeader(version, both), 'latin1');
      const expected = { kind: 'header', length: header.length, ends: both };
      t.same(scanProxyHeader(header), expected);
      t.same(scanProxyHeader(Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\n')])), expected);
      if (cut < header.length) t.equal(scanProxyHeader(header.subarray(0, cut)).kind, 'incomplete');
    }),
    { numRuns: 300 },
  );
});

t.test('what was decided on some bytes stays decided when more come', async () => {
  const good = ['v1', 'v2'].map((version) =>
    renderProxyHeader(version as 'v1', {
      source: { address: '192.0.2.1', port: 1 },
      destination: { address: '192.0.2.2', port: 2 },
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...good), fc.nat(60), fc.nat(255), fc.nat(80), (text, at, value, cut) => {
      const bytes = Buffer.from(text, 'latin1');
      bytes[at % bytes.length] = value;
      const part = scanProxyHeader(bytes.subarray(0, cut));
      if (part.kind !== 'incomplete') t.strictSame(part, scanProxyHeader(bytes));
    }),
    { numRuns: 2_000 },
  );
});

const ipv4 = {
  source: { address: '192.0.2.1', port: 5000 },
  destination: { address: '198.51.100.2', port: 443 },
};
const signature = '0d0a0d0a000d0a515549540a';
const plain4 = 'c0000201c63364021388' + '01bb';

function binary(hex: string): Buffer {
  return Buffer.from(signature + hex, 'hex');
}

/** A header of version 2 with these further values behind IPv4 addresses. */
function withValues(values: string): Buffer {
  const block = plain4 + values;
  return binary(`2111${(block.length / 2).toString(16).padStart(4, '0')}${block}`);
}

for (const [what, bytes, expected] of [
  [
    'v1 with the longest addresses',
    line('TCP6', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 65_535),
    'header',
  ],
  ['v1 of nobody knows whom', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['v1 of nobody knows whom, with words', Buffer.from('PROXY UNKNOWN ffff::1 whatever 1 2\r\n'), undefined],
  ['v2 for itself (LOCAL)', binary('20000000'), undefined],
  ['v2 for itself with an address', binary(`2011000c${plain4}`), undefined],
  ['v2 for itself with an unknown family', binary('20ff0003aabbcc'), undefined],
  ['v2 of no family', binary('21000004deadbeef'), undefined],
  ['v2 of UDP', binary(`2112000c${plain4}`), undefined],
  ['v2 of a Unix socket', binary(`213100d8${'00'.repeat(216)}`), undefined],
  ['v2 with addresses', binary(`2111000c${plain4}`), ipv4],
  ['v2 with further values', withValues('0400020000' + '05000161'), ipv4],
] as const)
  t.test(`a header of ${what} is taken`, async (t) => {
    const scan = scanProxyHeader(bytes);
    t.equal(scan.kind, 'header', JSON.stringify(scan));
    if (expected !== 'header') t.match(scan, { length: bytes.length, ends: expected });
  });

function line(family: string, address: string, port: number): Buffer {
  return Buffer.from(`PROXY ${family} ${address} ${address} ${port} ${port}\r\n`);
}

for (const [what, bytes] of [
  ['nothing of the kind', Buffer.from('GET / HTTP/1.1\r\n')],
  ['v1 in small letters', Buffer.from('proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n')],
  ['v1 with two spaces', Buffer.from('PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n')],
  ['v1 with a tab', Buffer.from('PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n')],
  ['v1 with an address of the other family', line('TCP4', '::1', 1)],
  ['v1 with IPv4 as IPv6', line('TCP6', '1.2.3.4', 1)],
  ['v1 with an address that is none', line('TCP4', '1.2.3.256', 1)],
  ['v1 with a zero in front of an address', line('TCP4', '1.2.3.04', 1)],
  ['v1 with a port that is none', line('TCP4', '1.2.3.4', 65_536)],
  ['v1 with a zero in front of a port', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n')],
  ['v1 with a further word', Buffer.from('PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n')],
  ['v1 with a line feed only', Buffer.from(`PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n${'x'.repeat(107)}`)],
  ['v1 without an end', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(107)}`)],
  ['v1 of another transport', line('UDP4', '1.2.3.4', 1)],
  ['v2 of version 1', binary(`1111000c${plain4}`)],
  ['v2 with an unknown command', binary(`2211000c${plain4}`)],
  ['v2 with an unknown family', binary(`2141000c${plain4}`)],
  ['v2 with an unknown transport', binary(`2113000c${plain4}`)],
  ['v2 with addresses cut off', binary(`2111000b${plain4.slice(2)}`)],
  ['v2 that is too long', binary('2100ffff')],
  ['v2 with a further value cut off', withValues('04000400')],
  ['v2 with a wrong checksum', withValues('03000400000000')],
] as const)
  t.test(`a header of ${what} is a fault`, async (t) => t.equal(scanProxyHeader(bytes).kind, 'fault'));

t.test('a checksum that is right is taken', async (t) => {
  t.equal(crc32c(Buffer.from('123456789')), 0xe306_9283, 'RFC 3720 §B.4');
  const header = withValues('03000400000000');
  header.writeUInt32BE(crc32c(header), header.length - 4);
  t.match(scanProxyHeader(header), { kind: 'header', ends: ipv4 });
});

t.test('ends of two families are both written as IPv6', async (t) => {
  const mixed = {
    source: { address: '192.0.2.1', port: 1 },
    destination: { address: '2001:db8::1', port: 2 },
  };
  t.match(renderProxyHeader('v1', mixed), 'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1 2\r\n');
  const scan = scanProxyHeader(Buffer.from(renderProxyHeader('v2', mixed), 'latin1'));
  t.match(scan, { ends: { source: { address: '::ffff:192.0.2.1' } } });
});
