import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { run } from '../core/kit/exec.ts';

/** Makes an image of a shell and a few programs of this machine; gives its skopeo reference. */
export async function makeImage(dir: string, config: readonly string[]): Promise<string> {
  const [layout, bundle] = [join(dir, 'layout'), join(dir, 'bundle')];
  await run('umoci', ['init', '--layout', layout]);
  await run('umoci', ['new', '--image', `${layout}:app`]);
  await run('umoci', ['unpack', '--image', `${layout}:app`, bundle]);
  await addPrograms(join(bundle, 'rootfs'));
  await run('umoci', ['repack', '--image', `${layout}:app`, bundle]);
  await run('umoci', ['config', '--image', `${layout}:app`, ...config]);
  return `oci:${layout}:app`;
}

async function addPrograms(rootfs: string): Promise<void> {
  const programs = ['/bin/sh', '/bin/cat', '/bin/sleep'];
  const needs = await run('ldd', programs);
  const libraries = needs.match(/\/\S+\.so\S*(?= \()/g) ?? [];
  for (const dir of ['etc', 'bin', 'data']) await mkdir(join(rootfs, dir));
  await run('cp', ['--parents', '--dereference', ...new Set([...programs, ...libraries]), rootfs]);
  await writeFile(join(rootfs, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\napp:x:1234:1234::/data:/bin/sh\n');
  await writeFile(join(rootfs, 'etc/group'), 'root:x:0:\napp:x:1234:\nextra:x:77:app\n');
  await writeFile(join(rootfs, 'data/greeting'), 'hello from the image\n');
}

export type Registry = { readonly address: string; readonly close: () => Promise<void> };

/** Debian's docker-registry on a free port of 127.0.0.1, storing in `dir`. */
export async function startRegistry(dir: string): Promise<Registry> {
  const address = `127.0.0.1:${await freePort()}`;
  const file = join(dir, 'registry.yml');
  const storage = { filesystem: { rootdirectory: join(dir, 'registry') } };
  await writeFile(file, JSON.stringify({ version: 0.1, storage, http: { addr: address } }));
  const registry = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  await untilListening(registry);
  return {
    address,
    close: async () => {
      const ended = once(registry, 'exit');
      registry.kill('SIGKILL');
      await ended;
    },
  };
}

async function untilListening(registry: ChildProcess): Promise<void> {
  for await (const line of createInterface({ input: registry.stderr! })) {
    if (line.includes('listening on')) break;
  }
  registry.stderr?.resume();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
