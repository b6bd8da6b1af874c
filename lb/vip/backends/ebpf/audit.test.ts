import { readdirSync } from 'node:fs';
import t from 'tap';
import { run } from '../../../../core/kit/exec.ts';
import { table, vip } from '../../backend.contract.ts';
import { cgroupRoot } from '../../socket-programs.ts';
import { ebpfLab, needsBpf } from '../../testing/ebpf-lab.ts';
import type { Lab } from '../../testing/lab.ts';
import { one, serve } from '../../testing/nftables-lab.ts';

const root = (await cgroupRoot()) ?? '';
const place = '00 00 00 00 00 00 00 00 00 00 ff ff 64 64 01 01 00 50 06 00';
const other = place.replace('01 01 00 50', '01 07 00 50');

/** What is done by hand to the programs and their tables, and what the audit says to each. */
const corruptions = [
  [
    'a program is detached',
    (_: string, id: string) => ['cgroup', 'detach', root, 'connect4', 'id', id],
    /1 of 14 programs at the socket are not attached/,
  ],
  [
    'a service is deleted',
    (maps: string) => ['map', 'delete', 'pinned', `${maps}/services`, 'key', 'hex', ...place.split(' ')],
    /map services at the socket lacks 1/,
  ],
  [
    'a slot leads elsewhere',
    (maps: string) => [
      'map',
      'update',
      'pinned',
      `${maps}/slots`,
      'key',
      'hex',
      ...`${place} 00 00 00 00`.split(' '),
      'value',
      'hex',
      ...place.split(' '),
    ],
    /map slots at the socket lacks 1/,
  ],
  [
    'a service is invented',
    (maps: string) => [
      'map',
      'update',
      'pinned',
      `${maps}/services`,
      'key',
      'hex',
      ...other.split(' '),
      'value',
      'hex',
      ...'01 00 00 00 00 00 00 00 00 00 00 00'.split(' '),
    ],
    /map services at the socket has 1 elements/,
  ],
  [
    'a backend of which clients may be remembered is invented',
    (maps: string) => [
      'map',
      'update',
      'pinned',
      `${maps}/members`,
      'key',
      'hex',
      ...`${other} ${other}`.split(' '),
      'value',
      'hex',
      ...'00 00 00 00'.split(' '),
    ],
    /map members at the socket has 1 elements/,
  ],
] as const;

/** Where what is in force is pinned. */
async function loadOf(lab: Lab): Promise<string> {
  const inode = /\d+/.exec(await lab.run('host', 'readlink', ['/proc/self/ns/net']))?.[0];
  const own = `/sys/fs/bpf/weir/ns-${inode}`;
  const loads = readdirSync(own).filter((name) => name.startsWith('load-'));
  return `${own}/${loads[0]}`;
}

t.test('ebpf finds and repairs what was spoiled by hand', { skip: needsBpf }, async (t) => {
  const { lab, backend } = await ebpfLab(t, 'ea');
  await backend.start();
  const web = vip('tcp', one, 80, [await serve(lab, 'b')]);
  await backend.apply(table(web));
  t.same(await backend.audit(), []);
  for (const [name, command, says] of corruptions) {
    const folder = await loadOf(lab);
    const shown = JSON.parse(
      await run('bpftool', ['-j', 'prog', 'show', 'pinned', `${folder}/host_connect4`]),
    );
    await run('bpftool', command(`${folder}/maps`, String(shown.id)));
    t.match((await backend.audit()).map(({ what }) => what).join('\n'), says, name);
    t.same(await backend.audit(), [], `${name}: nothing is left of it`);
    t.match(await lab.at('host').ask(web), { kind: 'answer', name: 'b-tcp' }, name);
  }
});

t.test('ebpf has every service and slot of a table that is long', { skip: needsBpf }, async (t) => {
  const { backend } = await ebpfLab(t, 'el');
  await backend.start();
  const targets = Array.from({ length: 10 }, (_, n) => ({
    instanceId: `i${n}`,
    address: '100.65.1.12',
    port: n + 1,
  }));
  const services = Array.from({ length: 700 }, (_, n) =>
    vip('tcp', `100.100.${n >> 8}.${n & 255}`, 80, targets),
  );
  await backend.apply(table(...services));
  t.same(await backend.audit(), []);
  await backend.apply(table(...services.slice(0, 10)));
  t.same(await backend.audit(), []);
});
