import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../../../core/kit/errors.ts';
import { type ExecCommand, ExecFailed, type ExecResult } from '../../runtime.ts';
import type { ContainerRecord } from '../local/records.ts';
import { runBounded } from '../local/run-bounded.ts';

/** Runs a command with the container's own user, directory and environment. `token` is unique among those under way. */
export async function runcExec(
  record: ContainerRecord,
  options: { runc: readonly string[]; command: ExecCommand; token: string },
): Promise<ExecResult> {
  const { id } = record.spec;
  const { timeoutMs, argv, env = {} } = options.command;
  const pidFile = join(record.paths.dir, `exec-${options.token}`);
  const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const exec = ['exec', '--pid-file', pidFile, ...variables, record.paths.name, ...argv];
  try {
    const result = await runBounded([...options.runc, ...exec], {
      detached: true,
      timeoutMs,
      // runc ends when the command has, and only runc can reap it: killed first, it would leave a zombie that keeps
      // the container's process namespace from ending.
      kill: (runc) => killGroup(pidIn(pidFile) || runc),
    });
    if (result.timedOut) throw new ExecFailed(id, `no end within ${timeoutMs} ms`);
    return { exitCode: result.exitCode, output: result.output };
  } catch (error) {
    throw error instanceof ExecFailed ? error : new ExecFailed(id, errorText(error), error);
  } finally {
    await rm(pidFile, { force: true });
  }
}

function pidIn(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8')) || 0;
  } catch {
    return 0;
  }
}

/** runc makes the command a session of its own, so its number is that of its group. */
function killGroup(pid: number): void {
  if (!(pid > 1)) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
