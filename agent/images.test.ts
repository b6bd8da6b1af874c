import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { run } from '../core/kit/exec.ts';
import { Images } from './images.ts';
import { makeImage, startRegistry } from './images-testing.ts';
import { ImageUnavailable } from './runtime.ts';

const skip = process.getuid?.() === 0 ? false : 'needs root';
const config = ['--config.entrypoint', '/bin/cat', '--config.cmd', '/data/greeting', '--config.env', 'A=1'];

t.test('images', { skip }, async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'weir-images-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const local = await makeImage(dir, [...config, '--config.user', 'app', '--config.workingdir', '/data']);
  const registry = await startRegistry(dir);
  t.teardown(registry.close);
  const name = `${registry.address}/test/app:1`;
  await run('skopeo', ['--insecure-policy', 'copy', '--dest-tls-verify=false', local, `docker://${name}`]);

  t.test('an image of a local layout is unpacked with its configuration', async (t) => {
    const image = await imagesIn(t, dir).get({ reference: local, forcePull: false });
    t.match(image, {
      entrypoint: ['/bin/cat'],
      cmd: ['/data/greeting'],
      user: 'app',
      cwd: '/data',
      digest: /^sha256:[0-9a-f]{64}$/,
    });
    t.ok(image.env.includes('A=1'));
    t.equal(await readFile(join(image.rootfs, 'data/greeting'), 'utf8'), 'hello from the image\n');
  });

  t.test('an image is fetched from a registry by its Docker name, once for many who want it', async (t) => {
    const images = imagesIn(t, dir);
    const wanted = { reference: name, forcePull: false };
    const [one, two] = await Promise.all([images.get(wanted), images.get(wanted)]);
    t.same(one, two);
    t.equal((await images.get({ reference: `docker://${name}`, forcePull: false })).digest, one.digest);
  });

  t.test('an image that was fetched needs no registry, unless a pull is forced', async (t) => {
    const gone = await startRegistry(await mkdtemp(join(dir, 'gone-')));
    const reference = `${gone.address}/test/app:1`;
    await run('skopeo', [
      '--insecure-policy',
      'copy',
      '--dest-tls-verify=false',
      local,
      `docker://${reference}`,
    ]);
    const images = imagesIn(t, dir);
    const before = await images.get({ reference, forcePull: false });
    await gone.close();
    t.same(await images.get({ reference, forcePull: false }), before);
    await t.rejects(images.get({ reference, forcePull: true }), ImageUnavailable);
  });

  t.test('an image that is not there is an error with the words of the registry', async (t) => {
    const reference = `${registry.address}/test/app:2`;
    await t.rejects(imagesIn(t, dir).get({ reference, forcePull: false }), {
      code: 'WEIR_IMAGE_UNAVAILABLE',
      message: /Cannot fetch image 127\.0\.0\.1:\d+\/test\/app:2: .*manifest unknown/,
    });
  });

  t.test('an image whose unpacking was interrupted is unpacked anew', async (t) => {
    const store = await mkdtemp(join(dir, 'store-'));
    const first = await new Images({ dir: store }).get({ reference: local, forcePull: false });
    await rm(join(first.rootfs, '..'), { recursive: true });
    await mkdir(join(`${join(first.rootfs, '..')}.new`, 'rootfs/half'), { recursive: true });
    t.same(await new Images({ dir: store }).get({ reference: local, forcePull: false }), first);
  });

  t.test('a fetch that is given up rejects with the reason', async (t) => {
    const signal = AbortSignal.abort(new Error('given up'));
    await t.rejects(imagesIn(t, dir).get({ reference: local, forcePull: false }, signal), {
      message: 'given up',
    });
  });
});

function imagesIn(t: Test, dir: string): Images {
  const name = t.name.replaceAll(/\W+/g, '-');
  return new Images({ dir: join(dir, 'stores', name) });
}
