import type { NetworkList, PluginConfig } from '../config/network.ts';
import { type Json, type JsonObject, omit } from '../json.ts';
import type { AttachmentKey } from '../names.ts';
import { formatResult } from '../result/format.ts';
import type { CniResult } from '../result/result.ts';

export type RequestParts = {
  readonly capabilityArgs?: JsonObject | undefined;
  /** Sent in the version of the list. */
  readonly prevResult?: CniResult | undefined;
  /** GC only. */
  readonly validAttachments?: readonly AttachmentKey[] | undefined;
};

const GENERATED = ['capabilities', 'runtimeConfig', 'prevResult', 'args'];

/**
 * The JSON on a plugin's standard input (specification, "Deriving request configuration from plugin configuration objects").
 * Keys that the runtime generates are not taken from the file.
 */
export function derivePluginRequest(network: NetworkList, plugin: PluginConfig, parts: RequestParts): string {
  const written = omit(plugin.conf, (key) => GENERATED.includes(key) || key.startsWith('cni.dev/'));
  const config = runtimeConfig(plugin, parts.capabilityArgs ?? {});
  return JSON.stringify({
    ...written,
    cniVersion: network.cniVersion,
    name: network.name,
    ...(Object.keys(config).length === 0 ? {} : { runtimeConfig: config }),
    ...(parts.prevResult === undefined
      ? {}
      : { prevResult: formatResult(parts.prevResult, network.cniVersion) }),
    ...(parts.validAttachments === undefined ? {} : attachmentKeys(parts.validAttachments)),
  });
}

function runtimeConfig(plugin: PluginConfig, args: JsonObject): JsonObject {
  const wanted = plugin.capabilities.filter((name) => args[name] !== undefined);
  return Object.fromEntries(wanted.map((name) => [name, args[name]]));
}

function attachmentKeys(attachments: readonly AttachmentKey[]): Record<string, Json> {
  const list = attachments.map(({ containerId, ifName }) => ({ containerID: containerId, ifname: ifName }));
  // Early drafts of 1.1 had the second name, and plugins built on them still look for it.
  return { 'cni.dev/valid-attachments': list, 'cni.dev/attachments': list };
}
