import t from 'tap';
import { lenientPath } from './lenient-path.ts';

const aliases: Readonly<Record<string, readonly string[]>> = {
  '/admin': [
    ...['//admin', '///admin', '/x//../admin', '//x/..//admin', '/./;x/admin'],
    ...[
      '/admin;x',
      '/admin;x=1;y',
      '/;x/admin',
      '/..;/admin',
      '/x/..;y/admin',
      '/admin%3Bx',
      '/admin/..;/admin',
    ],
    ...['/\\admin', '/x\\..\\admin', '/%5cadmin', '/x/%2e%2e%5Cadmin', '/x%2F..%2fadmin', '/x/..%2Fadmin'],
    ...['/%2561dmin', '/x/%252e%252e/admin', '/x/%252e%252e%252fadmin'],
    ...['/x/%c0%ae%C0%AE/admin', '/x/..%c0%afadmin', '/x/%e0%80%ae./admin', '/x%c1%9c../admin'],
  ],
  '/admin/': ['//admin/', '/admin//', '/admin%2f', '/admin/;x'],
  '/': ['//', '/;x', '/admin%2f..', '/%2f'],
};
for (const [read, given] of Object.entries(aliases)) {
  t.test(`a lenient server may read as ${read} what is written otherwise`, async (t) => {
    for (const path of given) t.equal(lenientPath(path), read, path);
  });
}

t.test('a path that every server reads alike has no other reading', async (t) => {
  const plain = [
    '/',
    '/admin',
    '/a/b.c',
    '/%61',
    '/a%20b',
    '/./a',
    '/a/../b',
    '/%C3%A4',
    '/a=b,c:d@e',
    '/caf%c3%a9',
  ];
  for (const path of plain) t.equal(lenientPath(path), undefined, path);
});

t.test('a lenient reading costs time in proportion to the path', async (t) => {
  for (const piece of [';', '/', '//;', '%2f', '%25', '%c0%ae', '/..;', '\\']) {
    const before = process.cpuUsage();
    lenientPath(`/${piece.repeat(10_000)}`);
    t.ok(process.cpuUsage(before).user < 200_000, piece);
  }
});
