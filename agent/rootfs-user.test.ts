import t from 'tap';
import { resolveUser, UnknownUser } from './rootfs-user.ts';

const files = {
  passwd: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/data:/bin/sh\n# broken\n',
  group: 'root:x:0:\napp:x:1001:\nextra:x:77:other,app\nwheel:x:10:root\n',
};

for (const [user, expected] of [
  ['', { uid: 0, gid: 0, groups: [10] }],
  ['app', { uid: 1000, gid: 1001, groups: [77] }],
  ['1000', { uid: 1000, gid: 1001, groups: [77] }],
  ['4242', { uid: 4242, gid: 0, groups: [] }],
  ['app:extra', { uid: 1000, gid: 77, groups: [] }],
  ['4242:4343', { uid: 4242, gid: 4343, groups: [] }],
] as const) {
  t.test(`user "${user}" is found in the container's files`, async (t) => {
    t.same(resolveUser(user, files), expected);
  });
}

t.test('a user or group that the container does not know is an error that names it', async (t) => {
  t.throws(() => resolveUser('nobody', files), UnknownUser);
  t.throws(() => resolveUser('app:nogroup', files), { message: /group "nogroup"/ });
});

t.test('numbers need no files', async (t) => {
  t.same(resolveUser('5:6', { passwd: '', group: '' }), { uid: 5, gid: 6, groups: [] });
  t.same(resolveUser('', { passwd: '', group: '' }), { uid: 0, gid: 0, groups: [] });
});
