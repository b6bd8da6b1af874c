import type { Attachment } from '../attachment.ts';
import type { NetworkList, PluginConfig } from '../config/network.ts';
import { CniError, gather, withContext } from '../errors.ts';
import { parseJson } from '../json.ts';
import type { AttachmentKey } from '../names.ts';
import { parseResult } from '../result/parse.ts';
import { type CniResult, EMPTY_RESULT } from '../result/result.ts';
import { atLeast } from '../versions.ts';
import type { Command } from './environment.ts';
import { contextOf, type Invocation, type Invoker, invokePlugin } from './plugin.ts';
import { derivePluginRequest, type RequestParts } from './request.ts';

/** Error code 3: the plugin does not know the container, so there is nothing to undo. */
const CONTAINER_UNKNOWN = 3;

/** @throws CniError WEIR_CNI_PLUGIN_MISSING, before anything was executed */
export async function findPlugins({ exec, pluginDirs }: Invoker, network: NetworkList): Promise<void> {
  for (const { type } of network.plugins) await exec.find(type, pluginDirs);
}

/** ADD: each plugin in list order, handing on the result. Stops at the first error; cleaning up is the caller's. */
export async function addChain(
  invoker: Invoker,
  network: NetworkList,
  { attachment, signal }: { attachment: Attachment; signal?: AbortSignal | undefined },
): Promise<CniResult> {
  let result: CniResult | undefined;
  for (const plugin of network.plugins) {
    const parts = { capabilityArgs: attachment.capabilityArgs, prevResult: result };
    const invocation = invocationOf('ADD', network, { plugin, parts, attachment, signal });
    result = readResult(invocation, network, await invokePlugin(invoker, invocation));
  }
  return result ?? EMPTY_RESULT;
}

/** DEL: each plugin, last first. Stops at the first error, so that an address is not freed while something still points at it. */
export async function delChain(
  invoker: Invoker,
  network: NetworkList,
  { attachment, result }: { attachment: Attachment; result?: CniResult | undefined },
): Promise<void> {
  for (const plugin of network.plugins.toReversed())
    await delPlugin(invoker, network, { plugin, attachment, result });
}

/** DEL after a failed ADD: every plugin is asked, whatever the others answer. @returns what failed */
export async function undoChain(
  invoker: Invoker,
  network: NetworkList,
  attachment: Attachment,
): Promise<CniError[]> {
  const errors: CniError[] = [];
  for (const plugin of network.plugins.toReversed()) {
    await gather(errors, () => delPlugin(invoker, network, { plugin, attachment }));
  }
  return errors;
}

/** CHECK: each plugin in list order, against the result of the ADD. */
export async function checkChain(
  invoker: Invoker,
  network: NetworkList,
  { attachment, result }: { attachment: Attachment; result: CniResult },
): Promise<void> {
  for (const plugin of network.plugins) {
    const parts = { capabilityArgs: attachment.capabilityArgs, prevResult: result };
    await invokePlugin(invoker, invocationOf('CHECK', network, { plugin, parts, attachment }));
  }
}

/** GC: every plugin is asked, whatever the others answer. @returns what failed */
export async function gcChain(
  invoker: Invoker,
  network: NetworkList,
  validAttachments: readonly AttachmentKey[],
): Promise<CniError[]> {
  const errors: CniError[] = [];
  for (const plugin of network.plugins) {
    const invocation = invocationOf('GC', network, { plugin, parts: { validAttachments } });
    await gather(errors, () => invokePlugin(invoker, invocation));
  }
  return errors;
}

/** STATUS: each plugin in list order; the first that is not ready ends it. */
export async function statusChain(invoker: Invoker, network: NetworkList): Promise<void> {
  for (const plugin of network.plugins) {
    await invokePlugin(invoker, invocationOf('STATUS', network, { plugin, parts: {} }));
  }
}

async function delPlugin(
  invoker: Invoker,
  network: NetworkList,
  {
    plugin,
    attachment,
    result,
  }: { plugin: PluginConfig; attachment: Attachment; result?: CniResult | undefined },
): Promise<void> {
  // Plugins of before 0.4 are not told the result on DEL.
  const prevResult = atLeast(network.cniVersion, '0.4.0') ? result : undefined;
  const parts = { capabilityArgs: attachment.capabilityArgs, prevResult };
  try {
    await invokePlugin(invoker, invocationOf('DEL', network, { plugin, parts, attachment }));
  } catch (error) {
    if (error instanceof CniError && error.cniCode === CONTAINER_UNKNOWN) return;
    throw error;
  }
}

type InvocationParts = {
  readonly plugin: PluginConfig;
  readonly parts: RequestParts;
  readonly attachment?: Attachment;
  readonly signal?: AbortSignal | undefined;
};

function invocationOf(command: Command, network: NetworkList, parts: InvocationParts): Invocation {
  const stdin = derivePluginRequest(network, parts.plugin, parts.parts);
  const { attachment, signal } = parts;
  return {
    command,
    type: parts.plugin.type,
    stdin,
    network: network.name,
    signal,
    ...(attachment === undefined ? {} : { attachment }),
  };
}

function readResult(invocation: Invocation, network: NetworkList, stdout: string): CniResult {
  try {
    return parseResult(parseJson(stdout), network.cniVersion);
  } catch (cause) {
    throw withContext(unusable(invocation.type, cause), contextOf(invocation));
  }
}

function unusable(type: string, cause: unknown): CniError {
  if (cause instanceof CniError) {
    const reason = `plugin ${type} answered with a result that cannot be used: ${cause.reason}`;
    return new CniError(cause.code, reason, { cniCode: cause.cniCode, cause });
  }
  return new CniError('WEIR_CNI_PLUGIN_OUTPUT', `plugin ${type} answered without a JSON result`, {
    cniCode: 6,
    cause,
  });
}
