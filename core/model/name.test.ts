import t from 'tap';
import { dnsLabel, domainFrag, labelBy, rfc952, weirName } from './name.ts';

/** dns.md §2.2, the RFC 1123 column. */
const labels: readonly (readonly [string, string])[] = [
  ['4abc123', '4abc123'],
  ['-4abc123', '4abc123'],
  ['fd%gsf---gs7-f$gs--d7fddg-123', 'fdgsf---gs7-fgs--d7fddg-123'],
  ['89fdgsf---gs7-fgs--d7fddg-', '89fdgsf---gs7-fgs--d7fddg'],
  [
    'fd%gsf---gs7-f$gs--d7fddg123456789012345678901234567890123456789-123',
    'fdgsf---gs7-fgs--d7fddg1234567890123456789012345678901234567891',
  ],
  ['a.b.c.d.e', 'a-b-c-d-e'],
  ['a.c.d_de.', 'a-c-d-de'],
  ['---a---b', 'a---b'],
  [`hello${'-'.repeat(58)}f`, 'hellof'],
  ['', ''],
  ['---', ''],
  ['Ünï', 'n'],
];

t.test('a label follows the vectors of Mesos-DNS', async (t) => {
  for (const [input, expected] of labels) t.equal(dnsLabel(input), expected, input);
});

/** dns.md §2.2, the RFC 952 column. */
const labels952: readonly (readonly [string, string])[] = [
  ['4abc123', 'abc123'],
  ['-4abc123', 'abc123'],
  ['fd%gsf---gs7-f$gs--d7fddg-123', 'fdgsf---gs7-fgs--d7fddg1'],
  ['89fdgsf---gs7-fgs--d7fddg-', 'fdgsf---gs7-fgs--d7fddg'],
  ['a.b.c.d.e', 'a-b-c-d-e'],
  ['a.c.d_de.', 'a-c-d-de'],
  ['---a---b', 'a---b'],
  ['chronos with a space AND MIXED CASE-2.0.1', 'chronoswithaspaceandmixe'],
  [`hello${'-'.repeat(58)}f`, 'hellof'],
];

t.test('a label of RFC 952 mode follows the vectors of Mesos-DNS', async (t) => {
  for (const [input, expected] of labels952) t.equal(labelBy(input, rfc952), expected, input);
  const framework = 'pod_123$abc.marathon-0.6.0-dev.mesos';
  t.equal(domainFrag(framework, rfc952), 'pod-123abc.marathon-0.dev.mesos');
});

t.test('a domain fragment keeps its dots and loses its empty pieces', async (t) => {
  t.equal(domainFrag('pod_123$abc.marathon-0.6.0-dev.mesos'), 'pod-123abc.marathon-0.6.0-dev.mesos');
  t.equal(domainFrag('(@ host . com'), 'host.com');
  t.equal(domainFrag('a..c'), 'a.c');
});

t.test('the name of an app is its path reversed', async (t) => {
  t.equal(weirName('/shop/web'), 'web.shop');
  t.equal(weirName('/web'), 'web');
  t.equal(weirName('/a/b.c'), 'b.c.a');
});
