import fc from 'fast-check';
import type { Edns, Message, ResourceRecord } from '../types.ts';
import { CLASS } from '../types.ts';

const plainLabel = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
const suffix = fc.constantFrom('mesos', 'marathon.mesos', 'weir', 'thisdcos.directory');

/** Names most of which share an ending, so that compression has work. */
export const plainName = fc
  .tuple(fc.array(plainLabel, { maxLength: 3 }), suffix)
  .map(([labels, end]) => [...labels, end].join('.'));

/** The uncompressed wire form of any name there can be: every byte value, labels to 63, whole names to 255. */
export const wireName = fc
  .array(fc.uint8Array({ minLength: 1, maxLength: 63 }), { maxLength: 6 })
  .map((labels) => labels.filter((_, i) => fitsUpTo(labels, i)))
  .map((labels) => Buffer.from([...labels.flatMap((label) => [label.length, ...label]), 0]));

function fitsUpTo(labels: readonly Uint8Array[], index: number): boolean {
  return labels.slice(0, index + 1).reduce((sum, label) => sum + label.length + 1, 1) <= 255;
}

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const ttl = fc.integer({ min: 0, max: 0x7fffffff });
const head = { name: plainName, class: fc.constant(CLASS.IN), ttl };

export const record: fc.Arbitrary<ResourceRecord> = fc.oneof(
  fc.record({ ...head, type: fc.constant('A' as const), address: fc.ipV4() }),
  fc.record({ ...head, type: fc.constant('AAAA' as const), address: fc.ipV6() }),
  fc.record({ ...head, type: fc.constantFrom('NS', 'CNAME', 'PTR'), target: plainName }),
  fc.record({
    ...head,
    type: fc.constant('SRV' as const),
    priority: u16,
    weight: u16,
    port: u16,
    target: plainName,
  }),
  fc.record({
    ...head,
    ...{ type: fc.constant('SOA' as const), mname: plainName, rname: plainName },
    ...{ serial: u32, refresh: u32, retry: u32, expire: u32, minimum: u32 },
  }),
  fc.record({
    ...head,
    type: fc.constant('TXT' as const),
    strings: fc.array(fc.uint8Array({ maxLength: 255 }), { minLength: 1, maxLength: 3 }),
  }),
  fc.record({
    ...head,
    type: fc.constant('opaque' as const),
    code: fc.constant(10), // NULL: any bytes
    data: fc.uint8Array({ maxLength: 40 }),
  }),
);

export const edns: fc.Arbitrary<Edns> = fc.record({
  udpSize: fc.integer({ min: 512, max: 0xffff }),
  extendedRcode: fc.constant(0),
  version: fc.constant(0),
  flags: fc.constantFrom(0, 0x8000),
  options: fc.constantFrom(new Uint8Array(0), Buffer.from('000a00081122334455667788', 'hex')),
});

const records = fc.array(record, { maxLength: 8 });

/** Messages of a query or a reply, opcode QUERY. */
export const message: fc.Arbitrary<Message> = fc.record({
  id: u16,
  flags: u16.map((flags) => flags & 0x87b0),
  question: fc.record({ name: plainName, type: fc.constantFrom(1, 28, 33, 255), class: fc.constant(1) }),
  answers: records,
  authorities: records,
  additionals: records,
  edns: fc.option(edns, { nil: undefined }),
});
