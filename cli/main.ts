import { statSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { errorCode } from '../core/kit/errors.ts';

keepCompiledCode();
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', endQuietlyWhenUnread);
  const { commandWord, readLab } = await import('./argv.ts');
  const { administratorPath } = await import('./doctor/programs.ts');
  process.env.PATH = [process.env.PATH, ...administratorPath].filter(Boolean).join(':');
  const { words, withoutLab, lab } = readLab(argv);
  const { reportFailure } = await import('./failure.ts');
  try {
    const name = commandWord(words) === 'help' ? commandWord(withoutLab.slice(1)) : commandWord(words);
    if (lab !== undefined && !(await isLocal(name))) {
      const { runInLab } = await import('./lab/enter.ts');
      return await runInLab(lab, withoutLab);
    }
    const { createProgram } = await import('./program.ts');
    const program = await createProgram(name);
    await program.parseAsync(words, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    return reportFailure(error);
  }
}

/**
 * Takes a third off the start. Beside the code, because what is run from a folder that others may write to is theirs; and only
 * by the owner of the code, since files of root there would stand in the way of the owner's next `npm ci`.
 */
function keepCompiledCode(): void {
  const modules = fileURLToPath(new URL('../node_modules', import.meta.url));
  const owner = statSync(modules, { throwIfNoEntry: false })?.uid;
  if (owner !== undefined && owner === process.getuid?.()) enableCompileCache(`${modules}/.cache/weir`);
}

async function isLocal(name: string | undefined): Promise<boolean> {
  const { commandList } = await import('./command-list.ts');
  return commandList.find((command) => command.name === name)?.local ?? name === undefined;
}

/** `weir app list | head -1`: nobody reads any more, and that is no failure. */
function endQuietlyWhenUnread(error: Error): void {
  if (errorCode(error) === 'EPIPE') process.exit(0);
  throw error;
}
