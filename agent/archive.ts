import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { run } from '../core/kit/exec.ts';

export type ArchiveKind = 'tar' | 'zip' | 'gzip';

/** An archive larger than what is unpacked in this time is refused. */
const unpackMs = 300_000;

/** By the endings of Marathon §18.4; undefined: no archive. */
export function archiveOf(name: string): ArchiveKind | undefined {
  if (/\.(tar|tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz)$/i.test(name)) return 'tar';
  if (/\.zip$/i.test(name)) return 'zip';
  return /\.gz$/i.test(name) ? 'gzip' : undefined;
}

/**
 * Unpacks into a folder of its own, then moves what came out into the sandbox. So a link that one archive brings never
 * leads another one out of the sandbox; within one archive the programs see to it themselves.
 */
export async function unpack(
  { path, kind, sandbox }: { path: string; kind: ArchiveKind; sandbox: string },
  signal?: AbortSignal,
): Promise<void> {
  const folder = await mkdtemp(join(sandbox, '.unpack-'));
  const options = { timeoutMs: unpackMs, ...(signal === undefined ? {} : { signal }) };
  try {
    if (kind === 'tar') await run('tar', ['-x', '--no-same-owner', '-f', path, '-C', folder], options);
    if (kind === 'zip') await run('unzip', ['-q', '-o', path, '-d', folder], options);
    if (kind === 'gzip') {
      const plain = createWriteStream(join(folder, basename(path).replace(/\.gz$/i, '')), { flags: 'wx' });
      await pipeline(createReadStream(path), createGunzip(), plain);
    }
    await moveInto(folder, sandbox);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Folders are merged, everything else is replaced. Links are moved as they are, never followed. */
async function moveInto(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    const isFolder = (await lstat(source)).isDirectory();
    const there = await lstat(target).catch(() => undefined);
    if (isFolder && there?.isDirectory()) await moveInto(source, target);
    else {
      if (there !== undefined) await rm(target, { recursive: true, force: true });
      await mkdir(to, { recursive: true });
      await rename(source, target);
    }
  }
}
