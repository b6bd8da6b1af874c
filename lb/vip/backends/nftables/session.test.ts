import { spawn } from 'node:child_process';
import t from 'tap';
import { labOf, needsRoot } from '../../testing/nftables-lab.ts';
import { NftSession } from './session.ts';

t.test(
  'an nft session performs transactions whole, and says what was wrong',
  { skip: needsRoot },
  async (t) => {
    const lab = await labOf(t, 'e');
    const session = new NftSession((file, args) => lab.spawn('host', file, args));
    t.teardown(() => session.close());
    t.equal(await session.perform('add table ip weir\nadd set ip weir s { type inet_service; }\n'), '');
    const half = await session.perform('add element ip weir s { 80 }\nadd element ip weir other { 81 }\n');
    t.match(half, /No such file or directory/);
    t.notMatch(await lab.run('host', 'nft', ['list', 'ruleset']), '80');
    await lab.run('host', 'nft', ['add', 'element', 'ip', 'weir', 's', '{ 90 }']);
    t.equal(await session.perform('delete element ip weir s { 90 }\nadd element ip weir s { 80 }\n'), '');
    t.match(await lab.run('host', 'nft', ['list', 'ruleset']), 'elements = { 80 }');
  },
);

t.test('an nft session that ends gives no answer, and the next call begins another', async (t) => {
  const ends = 'read line; exit 1';
  const answers = `while read line; do case "$line" in list*) printf 'Error: no\\n%s\\n  ^^^\\n' "$line";; esac; done`;
  const programs = [ends, answers];
  const session = new NftSession(() =>
    spawn('sh', ['-c', programs.shift()!], { stdio: ['pipe', 'pipe', 'ignore'] }),
  );
  t.teardown(() => session.close());
  t.equal(await session.perform('add table ip weir'), undefined);
  t.equal(await session.perform('add table ip weir'), '');
  t.same(programs, []);
});

t.test('an nft session takes what fits into a line', async (t) => {
  const session = new NftSession(() => spawn('true'));
  t.ok(session.takes('add table ip weir\n'));
  t.notOk(session.takes('add element ip weir s { 1 }\n'.repeat(200)));
});
