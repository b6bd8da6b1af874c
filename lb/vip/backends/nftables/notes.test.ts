import t from 'tap';
import { freshNotes, oldNotes, parseNotes } from './notes.ts';

t.test('notes are read with their age, of either family', async (t) => {
  const text = `table ip weir {
	set refusing {
		type ipv4_addr . inet_service
		size 4096
		flags dynamic,timeout
		timeout 2s
		elements = { 100.64.1.2 . 80 expires 1s748ms, 100.64.1.3 . 81 timeout 2s expires 1s900ms,
			     fd01::7 . 82 expires 900ms, 100.64.1.4 . 83 expires 2s }
	}
}`;
  const notes = parseNotes('refusing', text);
  t.same(freshNotes(notes, 300), ['tcp:100.64.1.2:80', 'tcp:100.64.1.3:81', 'tcp:100.64.1.4:83']);
  t.same(oldNotes(notes, 1_000), ['tcp:fd01::7:82']);
  t.same(parseNotes('asked', 'table ip weir {\n\tset asked {\n\t}\n}'), []);
});

t.test('notes that were cut from packets are read as addresses and ports', async (t) => {
  const text =
    'elements = { 0x64410009 . 0x1b59 expires 2s, 0xfd01000c000000000000000000000007 . 0x50 expires 1s }';
  t.same(parseNotes('unreachable', text), [
    { place: 'tcp:100.65.0.9:7001', ageMs: 0 },
    { place: 'tcp:fd01:c::7:80', ageMs: 1_000 },
  ]);
});
