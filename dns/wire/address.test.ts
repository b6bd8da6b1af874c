import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { ipv4Number, ipv6Bytes, ipv6Text } from './address.ts';

t.test('an IPv6 address is written as RFC 5952 says', async (t) => {
  const vectors = [
    ['2001:0db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['FD01:D::C633:6401', 'fd01:d::c633:6401'],
  ] as const;
  for (const [given, text] of vectors) t.equal(ipv6Text(Uint8Array.from(ipv6Bytes(given)), 0), text);
});

t.test('any IPv6 text is read as the URL parser reads it', async () => {
  fc.assert(
    fc.property(fc.ipV6(), (text) => {
      const bytes = ipv6Bytes(text);
      assert.equal(bytes.length, 16);
      assert.equal(ipv6Text(Uint8Array.from(bytes), 0), new URL(`http://[${text}]/`).hostname.slice(1, -1));
    }),
  );
});

t.test('an IPv4 address is read strictly', async (t) => {
  t.equal(ipv4Number('255.255.255.255'), 0xffffffff);
  t.equal(ipv4Number('10.0.0.1'), 0x0a000001);
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1..3.4',
    '1.2.3.',
    '.1.2.3',
    'host',
    '1.2.3.4 ',
  ]) {
    t.throws(() => ipv4Number(text), { code: 'WEIR_DNS_UNENCODABLE' }, text);
  }
});

t.test('a text that is no IPv6 address is refused', async (t) => {
  for (const text of ['', '1.2.3.4', 'fe80::1%eth0', '1:2', ':::', 'g::']) {
    t.throws(() => ipv6Bytes(text), { code: 'WEIR_DNS_UNENCODABLE' }, text);
  }
});
