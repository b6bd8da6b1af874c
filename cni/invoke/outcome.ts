import { CniError } from '../errors.ts';
import type { ExecOutcome } from '../exec.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../json.ts';

/** Characters of a plugin's output that an error repeats. */
const QUOTED = 2000;

/** The error that an outcome stands for; undefined when the plugin succeeded. */
export function pluginError(type: string, outcome: ExecOutcome, timeoutMs: number): CniError | undefined {
  const failed = `plugin ${type} failed`;
  switch (outcome.end) {
    case 'exited':
      return outcome.exitCode === 0 ? undefined : exitError(failed, outcome);
    case 'timeout':
      return new CniError(
        'WEIR_CNI_PLUGIN_TIMEOUT',
        `plugin ${type} was killed: no answer within ${timeoutMs} ms${streams(outcome)}`,
      );
    case 'aborted':
      return new CniError('WEIR_CNI_ABORTED', `plugin ${type} was killed: the caller gave up`);
    case 'overflow':
      return new CniError('WEIR_CNI_PLUGIN_OUTPUT', `plugin ${type} was killed: it wrote too much`, {
        cniCode: 5,
      });
    case 'killed':
      return new CniError(
        'WEIR_CNI_PLUGIN_FAILED',
        `${failed}: killed by ${outcome.signal}${streams(outcome)}`,
      );
  }
}

/** A failing plugin writes an error object to standard output; one that does not is quoted. */
function exitError(failed: string, outcome: ExecOutcome): CniError {
  const answer = errorObject(outcome.stdout);
  if (answer === undefined) {
    const plain = outcome.stdout.trim() === '' && outcome.stderr.trim() !== '';
    const text = plain
      ? `: ${cut(outcome.stderr)}`
      : ` with exit code ${outcome.exitCode}${streams(outcome)}`;
    return new CniError('WEIR_CNI_PLUGIN_FAILED', `${failed}${text}`);
  }
  const details = typeof answer.details === 'string' && answer.details !== '' ? answer.details : undefined;
  const text = [answer.msg, details].filter((part) => typeof part === 'string' && part !== '').join('; ');
  return new CniError('WEIR_CNI_PLUGIN_FAILED', `${failed}: ${cut(text)}`, {
    cniCode: Number(answer.code),
    details,
  });
}

function errorObject(stdout: string): JsonObject | undefined {
  const json = parsed(stdout);
  if (!isObject(json) || !Number.isInteger(json.code)) return undefined;
  return json;
}

function parsed(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function streams({ stdout, stderr }: ExecOutcome): string {
  const parts = [`standard output "${cut(stdout)}"`, `standard error "${cut(stderr)}"`];
  return `, ${parts.join(', ')}`;
}

export function cut(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length <= QUOTED) return trimmed;
  return `${trimmed.slice(0, QUOTED)}… (${trimmed.length} characters)`;
}
