import { CniError } from '../errors.ts';
import type { PluginExec } from '../exec.ts';
import { pluginError } from '../invoke/outcome.ts';
import { parseJson } from '../json.ts';
import { parseResult } from '../result/parse.ts';
import type { CniResult } from '../result/result.ts';
import { PLUGIN_CODES, PluginError, type PluginRequest } from './plugin.ts';

export type Delegation = {
  readonly exec: PluginExec;
  /** Milliseconds. */
  readonly timeoutMs: number;
  /** Gets what the delegate writes to its standard error. */
  stderr(text: string): void;
};

/**
 * Runs another plugin, mostly for address management, with the variables and the input of this call.
 * @throws PluginError: the delegate's own, or one that says why it could not be run
 */
export async function delegate(delegation: Delegation, type: string, request: PluginRequest): Promise<void> {
  await run(delegation, type, request);
}

/** As `delegate`, for ADD. What follows must call `undoDelegate` when it fails. */
export async function delegateAdd(
  delegation: Delegation,
  type: string,
  request: PluginRequest,
): Promise<CniResult> {
  const stdout = await run(delegation, type, request);
  return asPluginError(async () => parseResult(parseJson(stdout), request.cniVersion));
}

/** DEL of a delegate whose ADD succeeded, in an ADD that fails after it. */
export async function undoDelegate(
  delegation: Delegation,
  type: string,
  request: PluginRequest,
): Promise<void> {
  const env = { ...request.call.env, CNI_COMMAND: 'DEL' };
  await run(delegation, type, { ...request, call: { ...request.call, env } });
}

function run(delegation: Delegation, type: string, { path, call }: PluginRequest): Promise<string> {
  const { exec, timeoutMs } = delegation;
  return asPluginError(async () => {
    const file = await exec.find(type, path);
    const outcome = await exec.run(file, { env: variables(call.env), stdin: call.stdin, timeoutMs });
    if (outcome.stderr !== '') delegation.stderr(outcome.stderr);
    const error = pluginError(type, outcome, timeoutMs);
    if (error !== undefined) throw error;
    return outcome.stdout;
  });
}

function variables(env: PluginRequest['call']['env']): Record<string, string> {
  const own = Object.entries(env).filter(([key]) => key.startsWith('CNI_'));
  return Object.fromEntries(own.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

async function asPluginError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CniError)
      throw new PluginError(error.cniCode ?? PLUGIN_CODES.internal, error.reason);
    throw new PluginError(PLUGIN_CODES.decoding, error instanceof Error ? error.message : String(error));
  }
}
