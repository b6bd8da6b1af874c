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

/** Program and pid that listen on a TCP port, where the kernel tells us; undefined otherwise. */
async function holderOf(port: number): Promise<string | undefined> {
  const listed = await tryRun('ss', ['-Hlntup', `sport = :${port}`]).catch(() => undefined);
  const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(listed?.stdout ?? '');
  return match === null ? undefined : `${match[1]} (pid ${match[2]})`;
}
