import { fileURLToPath } from 'node:url';
import { type RunResult, tryRun } from '../../core/kit/exec.ts';

const mainFile = fileURLToPath(new URL('../main.ts', import.meta.url));

export type WeirOptions = {
  readonly master?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Runs the command line as a process, as a program that reads its output would. */
export function weir(
  words: readonly string[],
  { master, input, env = {} }: WeirOptions = {},
): Promise<RunResult> {
  return tryRun(process.execPath, [mainFile, ...words], {
    // The test runner's own hooks have nothing to do in the product.
    env: { NODE_OPTIONS: '', ...(master === undefined ? {} : { WEIR_MASTER: master }), ...env },
    ...(input === undefined ? {} : { input }),
    timeoutMs: 60_000,
  });
}
