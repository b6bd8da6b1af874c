import t from 'tap';
import { copyName, skipName } from './name-walk.ts';

/** A root name at 12 and `links` pointers after it, each to the one before; returns where the last one is. */
function chain(links: number): { packet: Buffer; last: number } {
  const packet = Buffer.alloc(14 + 2 * links);
  for (let link = 0; link < links; link++) {
    packet.writeUInt16BE(0xc000 | (link === 0 ? 12 : 14 + 2 * (link - 1)), 14 + 2 * link);
  }
  return { packet, last: packet.length - 2 };
}

t.test('a chain of pointers is followed as far as an honest encoder could need', async (t) => {
  const most = chain(127);
  t.equal(copyName(most.packet, most.last), 1);
  const more = chain(128);
  t.equal(copyName(more.packet, more.last), -1);
});

t.test('a name is copied with its pointers followed and skipped to where it ends in its place', async (t) => {
  const packet = Buffer.from(`${'00'.repeat(12)}0162000161c00c`, 'hex');
  const into = Buffer.alloc(255);
  t.equal(copyName(packet, 15, into), 5);
  t.equal(into.toString('hex', 0, 5), '0161016200');
  t.equal(skipName(packet, 15), 19);
});

t.test('a pointer that does not lead backwards ends the walk', async (t) => {
  const at15 = (hex: string) => Buffer.from(`${'00'.repeat(12)}016200${hex}`, 'hex');
  for (const hex of ['c00f', 'c010', 'c00b', 'c000', '0161c00f', '0161c011', 'c0', 'ffff']) {
    t.equal(copyName(at15(hex), 15), -1, hex);
    t.equal(skipName(at15(hex), 15), -1, hex);
  }
});
