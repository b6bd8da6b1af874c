import t from 'tap';
import { run, tryRun } from '../core/kit/exec.ts';
import { announce } from './announce.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';

t.test('a container tells the neighbours on its link that an address is its own now', { skip }, async (t) => {
  const [host, container] = ['h', 'c'].map((one) => `weirann-${process.pid}-${one}`) as [string, string];
  t.teardown(async () => {
    for (const name of [host, container]) await tryRun('ip', ['netns', 'del', name]);
  });
  for (const name of [host, container]) await run('ip', ['netns', 'add', name]);
  await run('ip', [
    '-n',
    host,
    'link',
    'add',
    'weirv0',
    'type',
    'veth',
    'peer',
    'name',
    'eth0',
    'netns',
    container,
  ]);
  for (const [name, device, address] of [
    [host, 'weirv0', '100.65.9.1/24'],
    [container, 'eth0', '100.65.9.2/24'],
  ] as const) {
    await run('ip', ['-n', name, 'addr', 'add', address, 'dev', device]);
    await run('ip', ['-n', name, 'link', 'set', device, 'up']);
  }
  const old = '02:11:22:33:44:55';
  const neighbour = ['neigh', 'replace', '100.65.9.2', 'lladdr', old, 'dev', 'weirv0', 'nud', 'reachable'];
  await run('ip', ['-n', host, ...neighbour]);
  const netns = `/run/netns/${container}`;
  await announce({ ifName: 'eth0', gateway: '100.65.9.1' }, netns);
  const mac = /ether (\S+)/.exec(await run('ip', ['-n', container, 'link', 'show', 'eth0']))?.[1];
  const known = async () => run('ip', ['-n', host, 'neigh', 'show', '100.65.9.2', 'dev', 'weirv0']);
  for (let turn = 0; turn < 200 && (await known()).includes(old); turn++);
  t.match(await known(), mac);
  await t.resolves(announce({ ifName: 'eth0', gateway: '100.65.9.1' }, netns), 'again');
  await t.resolves(announce({ ifName: 'eth9', gateway: '100.65.9.1' }, '/run/netns/none'), 'and to nobody');
});
