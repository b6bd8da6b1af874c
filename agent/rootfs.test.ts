import t from 'tap';
import { hostRootfs, isWithin, otherFileSystems } from './rootfs.ts';

t.test('other file systems of the machine are those on disk that no container has of its own', async (t) => {
  const mountinfo = [
    '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '22 27 0:21 / /proc rw - proc proc rw',
    '30 27 8:2 / /home rw - ext4 /dev/vdb rw',
    '31 30 8:3 / /home/with\\040blank rw master:1 - xfs /dev/vdc rw',
    '32 27 8:4 / /usr ro - btrfs /dev/vdd rw',
    '33 27 0:40 / /run rw - tmpfs tmpfs rw',
    '34 27 8:5 / /tmp/x rw - ext4 /dev/vde rw',
    '35 27 0:50 / /var/lib/x/merged rw - overlay overlay rw',
    '',
  ].join('\n');
  t.same(otherFileSystems(mountinfo), ['/home', '/home/with blank', '/usr']);
});

t.test('the root file system of the machine hides the data directory, unless that is in /tmp', async (t) => {
  const hidden = async (dataDir: string) => (await hostRootfs({ dataDir, tmp: '/t' })).hidden;
  t.same(await hidden('/var/lib/weir'), ['/var/lib/weir']);
  t.same(await hidden('/tmp/weir'), []);
  t.match(await hostRootfs({ dataDir: '/d', tmp: '/t' }), {
    lower: '/',
    binds: [{ hostPath: '/t', containerPath: '/tmp', mode: 'RW' }],
  });
});

t.test('a path is within a directory by whole names', async (t) => {
  t.ok(isWithin('/a', '/a') && isWithin('/a', '/a/b') && isWithin('/', '/a'));
  t.notOk(isWithin('/a', '/ab') || isWithin('/a/b', '/a'));
});
