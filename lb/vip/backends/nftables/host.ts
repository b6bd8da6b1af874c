import { type RunResult, tryRun } from '../../../../core/kit/exec.ts';

/** Runs a system program; a test puts a network namespace in front of it. */
export type HostExec = (file: string, args: readonly string[], input?: string) => Promise<RunResult>;

/** Runs it in the network namespace of this process. */
export const hostExec: HostExec = (file, args, input) =>
  tryRun(file, args, input === undefined ? {} : { input });
