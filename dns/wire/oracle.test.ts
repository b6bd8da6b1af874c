import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { message } from './testing/arbitrary.ts';
import { dns2Lines, dnsPacketEncode, dnsPacketLines, ourLines, ourLinesForDns2 } from './testing/oracle.ts';

const runs = { numRuns: 500 };

t.test('a message we encode is read the same by dns-packet', async () => {
  fc.assert(
    fc.property(message, (given) => {
      assert.deepEqual([...dnsPacketLines(encodeMessage(given))], [...ourLines(given)]);
    }),
    runs,
  );
});

t.test('a message dns-packet encodes is read the same by us', async () => {
  fc.assert(
    fc.property(message, (given) => {
      const read = decodeMessage(dnsPacketEncode(given));
      if (read.kind !== 'message') throw new Error(`read as ${read.kind}`);
      assert.deepEqual([...ourLines(read.message)], [...ourLines(given)]);
    }),
    runs,
  );
});

t.test('a message we encode is read the same by dns2', async () => {
  fc.assert(
    fc.property(message, (given) => {
      assert.deepEqual([...dns2Lines(encodeMessage(given))], [...ourLinesForDns2(given)]);
    }),
    runs,
  );
});

t.test('a message we encode is read the same by us', async () => {
  fc.assert(
    fc.property(message, (given) => {
      const packet = encodeMessage(given);
      const read = decodeMessage(packet);
      if (read.kind !== 'message') throw new Error(`read as ${read.kind}`);
      assert.deepEqual([...ourLines(read.message)], [...ourLines(given)]);
      assert.ok(encodeMessage(read.message).equals(packet), 'encoded again it has other bytes');
    }),
    runs,
  );
});
