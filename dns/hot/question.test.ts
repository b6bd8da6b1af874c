import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { query } from '../testing/client.ts';
import { edns } from '../wire/edns.ts';
import { mixCase } from '../wire/name-text.ts';
import { readQuestion } from '../wire/question.ts';
import { HotQuestion } from './question.ts';

const label = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const opt = fc.option(fc.record({ udpSize: fc.nat(65_535), flags: fc.nat(65_535) }), { nil: undefined });

function packetOf(name: string, type: number, opt?: { udpSize: number; flags: number }): Buffer {
  return query(name, type, opt === undefined ? {} : { edns: edns(opt.udpSize, { flags: opt.flags }) });
}

t.test('a hot question is read as the codec reads it', async () => {
  const hot = new HotQuestion();
  fc.assert(
    fc.property(name, fc.nat(65_535), opt, (name, type, opt) => {
      const packet = packetOf(name, type, opt);
      assert(hot.read(packet, packet.length));
      const read = readQuestion(packet);
      assert(read.kind === 'query');
      const { id, flags, questionEnd } = read;
      assert.deepEqual(
        { id: hot.id, flags: hot.flags, end: hot.questionEnd },
        { id, flags, end: questionEnd },
      );
      assert.deepEqual({ ...hot.edns, options: undefined }, { ...read.edns, options: undefined });
    }),
  );
});

t.test('whatever bytes come, only what the codec takes for a query is a hot question', async () => {
  const hot = new HotQuestion();
  const changes = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(name, opt, changes, fc.nat(90), (name, opt, changes, length) => {
      const packet = Buffer.concat([packetOf(name, 1, opt)]);
      for (const [at, byte] of changes) if (at < packet.length) packet[at] = byte;
      const end = Math.min(length, packet.length);
      if (!hot.read(packet, end)) return;
      const read = readQuestion(packet.subarray(0, end));
      assert.equal(read.kind, 'query');
      assert(read.kind === 'query' && read.questionEnd === hot.questionEnd);
    }),
    { numRuns: 20_000 },
  );
});

t.test('questions are the same when only the case of the name differs', async () => {
  const [hot, other] = [new HotQuestion(), new HotQuestion()];
  fc.assert(
    fc.property(name, name, fc.nat(130), fc.nat(130), (a, b, typeA, typeB) => {
      const packet = packetOf(a, typeA);
      assert(other.read(packet, packet.length));
      const { questionEnd } = other;
      const shouted = packetOf(b, typeB);
      mixCase(shouted.subarray(12), () => 1);
      assert(hot.read(shouted, shouted.length));
      assert.equal(hot.isAt(packet, 0, questionEnd), a === b && typeA === typeB);
      const same = packetOf(a, typeA);
      mixCase(same.subarray(12), () => 1);
      assert(hot.read(same, same.length));
      assert(hot.isAt(packet, 0, questionEnd) && hot.hash === other.hash);
    }),
  );
});
