import { CommanderError } from 'commander';
import { errorText, WeirError } from '../core/kit/errors.ts';
import { Refused } from './master/errors.ts';
import { UsageError } from './usage-error.ts';

/** Says what went wrong and what to do next; gives the exit code: 2 for a command that was not given as it must be, else 1. */
export function reportFailure(error: unknown): number {
  // Commander has said it already; help that was asked for is no failure.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  process.stderr.write(`${failureLines(error).join('\n')}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function failureLines(error: unknown): readonly string[] {
  if (!(error instanceof WeirError)) {
    const trace = error instanceof Error ? error.stack : undefined;
    return [`error: unexpected: ${errorText(error)}`, ...(trace === undefined ? [] : [trace])];
  }
  return [
    `error: ${error.message}`,
    ...(error instanceof Refused ? error.details.map((detail) => `  ${detail}`) : []),
    ...(error.next === undefined ? [] : [`next: ${error.next}`]),
  ];
}
