import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Makes the recording plugin available in `dir` under the name `type`. */
export async function installNoop(dir: string, type: string): Promise<void> {
  const noop = fileURLToPath(new URL('noop.ts', import.meta.url));
  await installScript(dir, type, `exec '${process.execPath}' '${noop}' "$0"`);
}

/** Makes a shell script available as a plugin. @returns its path */
export async function installScript(dir: string, type: string, script: string): Promise<string> {
  await mkdir(dir, { recursive: true });
  const path = join(dir, type);
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}
