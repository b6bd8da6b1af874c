import t from 'tap';
import { failures, type Notes, parseNotes } from './notes.ts';

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
  t.same(parseNotes('refusing', text), [
    { place: 'tcp:100.64.1.2:80', ageMs: 252 },
    { place: 'tcp:100.64.1.3:81', ageMs: 100 },
    { place: 'tcp:fd01::7:82', ageMs: 1_100 },
    { place: 'tcp:100.64.1.4:83', ageMs: 0 },
  ]);
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

t.test('who refused lately and who has not answered for long have failed', async (t) => {
  const sets: Record<Notes, string> = {
    refusing: 'elements = { 100.64.1.2 . 80 expires 1s900ms, 100.64.1.3 . 80 expires 1s }',
    unreachable: 'elements = { 100.64.1.4 . 80 expires 1s900ms, 100.64.1.5 . 80 expires 1s }',
    asked: 'elements = { 100.64.1.6 . 80 expires 4s, 100.64.1.7 . 80 expires 4s500ms }',
  };
  const { refused, silent } = await failures(async (notes) => sets[notes], 300);
  t.same(
    [refused, silent].map((all) => all.map(({ place }) => place)),
    [['tcp:100.64.1.2:80'], ['tcp:100.64.1.4:80', 'tcp:100.64.1.6:80']],
  );
});
