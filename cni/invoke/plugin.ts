import type { Clock } from '../../core/kit/clock.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Attachment } from '../attachment.ts';
import { CniError, type CniErrorContext, withContext } from '../errors.ts';
import type { ExecOutcome, PluginExec } from '../exec.ts';
import { type Command, environment } from './environment.ts';
import { pluginError } from './outcome.ts';

/** What every invocation needs. */
export type Invoker = {
  readonly exec: PluginExec;
  readonly pluginDirs: readonly string[];
  readonly log: Log;
  readonly clock: Clock;
  /** Milliseconds one run of a plugin may take. */
  readonly timeoutMs: number;
};

export type Invocation = {
  readonly command: Command;
  readonly type: string;
  readonly stdin: string;
  readonly network?: string;
  readonly attachment?: Attachment;
  readonly signal?: AbortSignal | undefined;
};

/** Error code 11, "try again later": how often, and the first pause in milliseconds (each next one is twice as long). */
const TRY_LATER = 11;
const RETRIES = 4;
const FIRST_PAUSE_MS = 250;

/**
 * Runs one plugin, again when it says "try again later".
 * @returns its standard output
 * @throws CniError with plugin, network and the plugin's own code, message and details
 */
export async function invokePlugin(invoker: Invoker, invocation: Invocation): Promise<string> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await runOnce(invoker, invocation);
    } catch (error) {
      if (!(error instanceof CniError)) throw error;
      const later = error.cniCode === TRY_LATER && retry < RETRIES && invocation.command !== 'STATUS';
      if (!later) throw withContext(error, contextOf(invocation));
      await pause(invoker, invocation, FIRST_PAUSE_MS * 2 ** retry);
    }
  }
}

async function pause({ clock }: Invoker, invocation: Invocation, ms: number): Promise<void> {
  try {
    await clock.sleep(ms, invocation.signal);
  } catch (cause) {
    const reason = `plugin ${invocation.type} asked to be tried later, and the caller gave up`;
    throw new CniError('WEIR_CNI_ABORTED', reason, { ...contextOf(invocation), cause });
  }
}

async function runOnce(invoker: Invoker, invocation: Invocation): Promise<string> {
  const { command, type, stdin, attachment, signal } = invocation;
  const { exec, pluginDirs, timeoutMs } = invoker;
  const path = await exec.find(type, pluginDirs);
  const env = environment(command, pluginDirs, attachment);
  const outcome = await exec.run(path, { env, stdin, timeoutMs, signal });
  logStderr(invoker.log, invocation, outcome);
  const error = pluginError(type, outcome, timeoutMs);
  if (error !== undefined) throw error;
  return outcome.stdout;
}

function logStderr(log: Log, invocation: Invocation, { stderr }: ExecOutcome): void {
  const text = stderr.trim();
  if (text === '') return;
  const { plugin, network, containerId, command } = contextOf(invocation);
  log.info('plugin wrote to standard error', { plugin, network, containerId, command, text });
}

export function contextOf({ command, type, network, attachment }: Invocation): CniErrorContext {
  return { command, plugin: type, network, containerId: attachment?.containerId, ifName: attachment?.ifName };
}
