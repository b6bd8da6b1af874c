import { execa } from 'execa';
import { WeirError } from './errors.ts';

export type RunOptions = {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Default 30 000. The whole process group is ended afterwards. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

export type RunResult = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** A program could not be started, ended with an error, or took too long. Its own words are in the message. */
export class CommandFailed extends WeirError {
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(command: string, detail: string, result: { exitCode?: number | undefined; stderr?: string }) {
    super('WEIR_COMMAND_FAILED', `Command "${command}" failed: ${detail}`);
    this.exitCode = result.exitCode;
    this.stderr = result.stderr ?? '';
  }
}

/** Runs a program to its end and gives its result whatever the exit code. Throws only if it cannot be started or times out. */
export async function tryRun(
  file: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await execa(file, args, {
    reject: false,
    stdin: options.input === undefined ? 'ignore' : 'pipe',
    ...(options.input === undefined ? {} : { input: options.input }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    timeout: options.timeoutMs ?? 30_000,
    stripFinalNewline: true,
  });
  if (result.exitCode === undefined) {
    const detail = result.timedOut
      ? `no end within ${options.timeoutMs ?? 30_000} ms`
      : (result.shortMessage ?? 'unknown');
    throw new CommandFailed([file, ...args].join(' '), detail, { stderr: result.stderr });
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

/** Runs a program that must succeed; gives its standard output. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await tryRun(file, args, options);
  if (result.exitCode === 0) return result.stdout;
  const words = (result.stderr || result.stdout).trim().slice(-2_000);
  throw new CommandFailed([file, ...args].join(' '), words || `exit code ${result.exitCode}`, result);
}
