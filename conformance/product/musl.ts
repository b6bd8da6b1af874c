import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../core/kit/exec.ts';

const musl = '/usr/lib/x86_64-linux-musl';

/** Makes `musl-lookup` in a folder: a program with musl's resolver in it, as images of Alpine have it. False where musl cannot be had. */
export async function buildMuslLookup(dir: string): Promise<boolean> {
  if (!existsSync(`${musl}/libc.a`)) return false;
  const source = fileURLToPath(new URL('./musl-lookup.c', import.meta.url));
  const headers = ['-nostdinc', '-isystem', '/usr/include/x86_64-linux-musl', '-nostdlib'];
  const parts = [`${musl}/crt1.o`, source, `${musl}/libc.a`];
  await run('clang-14', ['-static', ...headers, '-o', join(dir, 'musl-lookup'), ...parts]);
  return true;
}
