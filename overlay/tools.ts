import { WeirError } from '../core/kit/errors.ts';
import { type RunOptions, type RunResult, tryRun } from '../core/kit/exec.ts';

/** How the programs that read and change the kernel are run: `ip`, `bridge`, `nft`, `sh`. */
export type Tools = {
  run(argv: readonly [string, ...string[]], options?: RunOptions): Promise<RunResult>;
};

/** @param prefix put before each command, for example `['nsenter', '--net=/run/netns/weir-a-h1', '--']` for another host of a lab */
export function createTools(prefix: readonly string[] = []): Tools {
  return {
    run: (argv, options) => {
      const [file = '', ...args] = [...prefix, ...argv];
      return tryRun(file, args, options);
    },
  };
}

/** Standard output of a program that must succeed. @throws Error with the program's own words */
export async function outputOf(
  tools: Tools,
  argv: readonly [string, ...string[]],
  options?: RunOptions,
): Promise<string> {
  const { exitCode, stdout, stderr } = await tools.run(argv, options);
  if (exitCode === 0) return stdout;
  throw new ToolFailed(argv.join(' '), (stderr || stdout).trim() || `exit code ${exitCode}`);
}

/** The kernel refused, or the program did. */
export class ToolFailed extends WeirError {
  constructor(command: string, words: string) {
    super('WEIR_OVERLAY_KERNEL', `Command "${command}" failed: ${words.slice(0, 2_000)}`);
  }
}
