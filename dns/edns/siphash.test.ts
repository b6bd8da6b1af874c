import t from 'tap';
import { SipHash } from './siphash.ts';

/** From the paper that defines SipHash: the key 00…0f, the messages 00, 01 … of growing length. */
const vectors: readonly (readonly [number, string])[] = [
  [0, '310e0edd47db6f72'],
  [1, 'fd67dc93c539f874'],
  [8, '6224939a79f5f593'],
  [15, 'e545be4961ca29a1'],
];

t.test('a hash is that of the published vectors', async (t) => {
  const counting = Uint8Array.from({ length: 16 }, (_, i) => i);
  const hash = new SipHash(counting);
  const into = Buffer.alloc(8);
  for (const [length, expected] of vectors) {
    hash.hash(counting, length);
    hash.writeTo(into, 0);
    t.equal(into.toString('hex'), expected, `${length} bytes`);
  }
});
