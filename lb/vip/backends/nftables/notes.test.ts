import t from 'tap';
import { freshNotes } from './notes.ts';

t.test('notes are read with their age, of either family, and old ones are left', async (t) => {
  const text = `table ip weir {
	set failing {
		type ipv4_addr . inet_service
		size 4096
		flags dynamic,timeout
		timeout 2s
		elements = { 100.64.1.2 . 80 expires 1s748ms, 100.64.1.3 . 81 timeout 2s expires 1s900ms,
			     fd01::7 . 82 expires 900ms, 100.64.1.4 . 83 expires 2s }
	}
}`;
  t.same(freshNotes(text, 300), ['tcp:100.64.1.2:80', 'tcp:100.64.1.3:81', 'tcp:100.64.1.4:83']);
  t.same(freshNotes(text, 2_000).length, 4);
  t.same(freshNotes('table ip weir {\n\tset failing {\n\t}\n}', 2_000), []);
});

t.test('notes that were cut from packets are read as addresses and ports', async (t) => {
  const text =
    'elements = { 0x64410009 . 0x1b59 expires 2s, 0xfd01000c000000000000000000000007 . 0x50 expires 2s }';
  t.same(freshNotes(text, 0), ['tcp:100.65.0.9:7001', 'tcp:fd01:c::7:80']);
});
