import { errorCode, WeirError } from '../core/kit/errors.ts';
import { tryRun } from '../core/kit/exec.ts';

export type ListenWish = {
  readonly what: string;
  readonly host: string;
  readonly port: number;
  readonly flag: string;
};

export class PortInUse extends WeirError {
  constructor({ what, host, port, flag }: ListenWish, holder: string | undefined) {
    super(
      'WEIR_PORT_IN_USE',
      `Cannot listen on ${host}:${port} for the ${what}: the port is in use${holder === undefined ? '' : ` by ${holder}`}`,
      {
        next: `Choose another with ${flag} HOST:PORT, or stop the program that holds it.`,
      },
    );
  }
}

/** What to tell a person whose port cannot be had; other errors come back as they are. */
export async function listenProblem(error: unknown, wish: ListenWish): Promise<unknown> {
  if (errorCode(error) !== 'EADDRINUSE') return error;
  return new PortInUse(wish, await holderOf(wish.port));
}

/** Program and pid that listen on a TCP port, where the kernel tells us; undefined otherwise. */
export async function holderOf(port: number): Promise<string | undefined> {
  const listed = await tryRun('ss', ['-Hltnp', `sport = :${port}`]).catch(() => undefined);
  const match = /users:\(\("([^"]+)",pid=(\d+)/.exec(listed?.stdout ?? '');
  return match === null ? undefined : `${match[1]} (pid ${match[2]})`;
}
