import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../core/kit/exec.ts';
import type { FetchUri } from '../core/model/fetch-uri.ts';
import { ArtifactUnavailable, fetchArtifacts } from './artifacts.ts';

const plain = { extract: true, executable: false, cache: false };

async function open(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'weir-artifacts-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const [source, sandbox] = [join(folder, 'source'), join(folder, 'sandbox')];
  for (const path of [source, sandbox]) await mkdir(path);
  const server = createServer(async (request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (path === '/moved.txt') return response.writeHead(302, { location: '/a.txt' }).end();
    const file = await readFile(join(source, path)).catch(() => undefined);
    response.writeHead(file === undefined ? 404 : 200).end(file);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  const get = (...wanted: Partial<FetchUri>[]) =>
    fetchArtifacts(
      wanted.map((one) => ({ ...plain, uri: '', ...one })),
      sandbox,
    );
  const text = (name: string) => readFile(join(sandbox, name), 'utf8');
  return { folder, source, sandbox, base, get, text };
}

t.test('files come from servers and from the machine, under the name that is wanted', async (t) => {
  const { source, sandbox, base, get, text } = await open(t);
  await writeFile(join(source, 'a.txt'), 'hello');
  await get(
    { uri: `${base}/a.txt` },
    { uri: `${base}/moved.txt?x=1`, destPath: 'in/b.txt' },
    { uri: join(source, 'a.txt'), destPath: 'c', executable: true },
    { uri: `file://${source}/a.txt`, destPath: 'd' },
  );
  t.same(await Promise.all(['a.txt', 'in/b.txt', 'c', 'd'].map(text)), ['hello', 'hello', 'hello', 'hello']);
  t.equal((await stat(join(sandbox, 'c'))).mode & 0o777, 0o755);
});

t.test('archives are unpacked into the sandbox, folders together', async (t) => {
  const { source, base, get, text } = await open(t);
  await mkdir(join(source, 'dir'));
  await writeFile(join(source, 'dir/one'), '1');
  await run('tar', ['-czf', 'one.tgz', 'dir'], { cwd: source });
  await rm(join(source, 'dir/one'));
  await writeFile(join(source, 'dir/two'), '2');
  await run('tar', ['-cJf', 'two.tar.xz', 'dir'], { cwd: source });
  await writeFile(join(source, 'three'), '3');
  await run('gzip', ['three'], { cwd: source });
  await get(
    { uri: `${base}/one.tgz` },
    { uri: `${base}/two.tar.xz` },
    { uri: `${base}/three.gz` },
    { uri: `${base}/one.tgz`, extract: false, destPath: 'kept.tgz' },
  );
  t.same(await Promise.all(['dir/one', 'dir/two', 'three'].map(text)), ['1', '2', '3']);
  t.ok((await text('kept.tgz')).length > 0);
});

t.test('nothing is written outside of the sandbox', async (t) => {
  const { folder, source, sandbox, base, get } = await open(t);
  const outside = join(folder, 'outside');
  await mkdir(outside);
  await writeFile(join(source, 'a.txt'), 'bad');
  await symlink(outside, join(source, 'way'));
  await run('tar', ['-cf', 'link.tar', 'way'], { cwd: source });
  await rm(join(source, 'way'));
  await mkdir(join(source, 'way'));
  await writeFile(join(source, 'way/file'), 'bad');
  await run('tar', ['-cf', 'through.tar', 'way'], { cwd: source });
  const a = `${base}/a.txt`;
  for (const destPath of ['../x', '/../x', '', '.'])
    await t.rejects(get({ uri: a, destPath }), ArtifactUnavailable, destPath);
  await t.rejects(
    get({ uri: `${base}/link.tar` }, { uri: a, destPath: 'way/file' }),
    /leads out of the sandbox/,
  );
  await get({ uri: `${base}/link.tar` }, { uri: `${base}/through.tar` });
  t.ok((await lstat(join(sandbox, 'way'))).isDirectory(), 'the link made way for the folder');
  await t.rejects(stat(join(outside, 'file')), { code: 'ENOENT' });
});

t.test('what cannot be had is said, without the secrets of its address', async (t) => {
  const { source, base, get } = await open(t);
  const refused = (uri: string, text: RegExp) => t.rejects(get({ uri }), { message: text }, uri);
  await refused(`${base}/none?token=secret`, /^Cannot fetch http:\/\/127[^?]*\?…: the server answered 404$/);
  await refused('http://user:pw@127.0.0.1:1/x', /^Cannot fetch http:\/\/\*\*\*@127/);
  await refused('hdfs://a/b', /hdfs: is not spoken/);
  await refused('/no/such/file', /ENOENT/);
  await writeFile(join(source, 'broken.zip'), 'no zip');
  await chmod(join(source, 'broken.zip'), 0o644);
  await refused(`${base}/broken.zip`, /unzip/);
});
