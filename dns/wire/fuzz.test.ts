import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { questionOf, readQuestion } from './question.ts';
import { fillRejection, fillStatus } from './reply.ts';
import { message } from './testing/arbitrary.ts';

const MUTANTS = 20_000;
const LIMIT = 512;

type Edit = { readonly at: number; readonly byte: number; readonly how: 'set' | 'cut' | 'grow' | 'point' };

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(2000),
  byte: fc.nat(255),
  how: fc.constantFrom('set', 'set', 'cut', 'grow', 'point'),
});

/** A packet with a byte changed, its end cut off, a byte added, or a compression pointer put in. */
function mutate(packet: Buffer, { at, byte, how }: Edit): Buffer {
  const place = at % packet.length;
  if (how === 'cut') return packet.subarray(0, Math.max(1, place));
  if (how === 'grow') return Buffer.concat([packet, Buffer.of(byte)]);
  const copy = Buffer.from(packet);
  copy[place] = how === 'point' ? 0xc0 | (byte & 1) : byte;
  if (how === 'point' && place + 1 < copy.length) copy[place + 1] = byte;
  return copy;
}

const mutant = fc
  .tuple(message, fc.array(edit, { minLength: 1, maxLength: 4 }))
  .map(([given, edits]) => edits.reduce(mutate, encodeMessage(given)));

t.test('mutated packets are read as a value, and what is written about them keeps the limit', async (t) => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(mutant, (packet) => {
      const read = readAndReply(packet);
      const whole = decodeMessage(packet);
      if (whole.kind === 'message') assert.ok(encodeMessage(whole.message, LIMIT).length <= LIMIT);
      for (const kind of [read, whole.kind]) seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }),
    { numRuns: MUTANTS },
  );
  for (const kind of ['query', 'formerr', 'drop', 'message']) t.ok((seen.get(kind) ?? 0) > 100, kind);
});

t.test('random bytes are read as a value', async () => {
  const bytes = fc.uint8Array({ maxLength: 600 });
  fc.assert(
    fc.property(bytes, (packet) => {
      readAndReply(packet);
      decodeMessage(packet);
    }),
    { numRuns: 5_000 },
  );
});

/** What a server does with a packet; returns the kind it was read as. */
function readAndReply(packet: Uint8Array): string {
  const target = { into: Buffer.alloc(LIMIT + 1, 0xaa), at: 0, limit: LIMIT, udpSize: 1232, turn: 0 };
  const read = readQuestion(packet);
  if (read.kind === 'drop') return read.kind;
  const length =
    read.kind === 'query' ? fillStatus(read, { flags: 0, rcode: 0 }, target) : fillRejection(read, target);
  assert.ok(length <= LIMIT && target.into[LIMIT] === 0xaa);
  const reply = decodeMessage(target.into.subarray(0, length));
  if (reply.kind !== 'message') throw new Error('our own reply is malformed');
  if (read.kind === 'query') {
    assert.deepEqual(Buffer.from(reply.message.question?.raw ?? []), Buffer.from(questionOf(read).raw ?? []));
    assert.equal(reply.message.question?.name, read.name);
  }
  return read.kind;
}
