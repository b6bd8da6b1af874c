import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { errorCode } from '../core/kit/errors.ts';
import { tryRun } from '../core/kit/exec.ts';
import { type ListenAddress, listenError, PortInUse } from '../core/kit/listen.ts';

export type ListenWish = { readonly what: string; readonly flag: string; readonly at: ListenAddress };

/** What to tell a person whose port cannot be had. */
export async function listenProblem(cause: unknown, { what, flag, at }: ListenWish): Promise<Error> {
  if (errorCode(cause) !== 'EADDRINUSE') return listenError(at, 'tcp', cause);
  const holder = await holderOf(at.port);
  return new PortInUse(at, { what, flag, cause, ...(holder === undefined ? {} : { holder }) });
}

const ourFiles = fileURLToPath(new URL('..', import.meta.url));

/** Program and pid that listen on a TCP port, where the kernel tells us; undefined otherwise. Our own are `Weir`. */
async function holderOf(port: number): Promise<string | undefined> {
  const listed = await tryRun('ss', ['-Hlntup', `sport = :${port}`]).catch(() => undefined);
  const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(listed?.stdout ?? '');
  if (match === null) return undefined;
  const [, name, pid] = match;
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const isWeir = line.split('\0').some((word) => word.startsWith(ourFiles) && word.endsWith('.ts'));
  return `${isWeir ? 'Weir' : name} (pid ${pid})`;
}
