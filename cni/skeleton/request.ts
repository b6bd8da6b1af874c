import { isObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { type AttachmentKey, isIdentifier } from '../names.ts';
import { parseResult } from '../result/parse.ts';
import type { CniResult } from '../result/result.ts';
import { atLeast, type CniVersion, isKnownVersion } from '../versions.ts';
import type { PluginCommand } from './environment.ts';
import { PLUGIN_CODES, PluginError, type PluginRequest } from './plugin.ts';

/** First version that has the command. */
const SINCE: Partial<Record<PluginCommand, CniVersion>> = { CHECK: '0.4.0', GC: '1.1.0', STATUS: '1.1.0' };

/** @throws PluginError 6 when it is not a JSON object */
export function readConfig(stdin: string): JsonObject {
  let json: Json;
  try {
    json = parseJson(stdin);
  } catch (error) {
    throw new PluginError(PLUGIN_CODES.decoding, `the network configuration is not JSON: ${error}`);
  }
  if (isObject(json)) return json;
  throw new PluginError(PLUGIN_CODES.decoding, 'the network configuration must be a JSON object');
}

/** @throws PluginError 1 or 7 */
export function readRequest(
  command: PluginCommand,
  config: JsonObject,
  versions: readonly CniVersion[],
): Omit<PluginRequest, 'path' | 'call'> {
  const { name, runtimeConfig } = config;
  const cniVersion = readVersion(command, config, versions);
  if (typeof name !== 'string' || !isIdentifier(name)) {
    throw new PluginError(
      PLUGIN_CODES.config,
      `missing or invalid network name: ${JSON.stringify(name) ?? 'absent'}`,
    );
  }
  return {
    network: name,
    cniVersion,
    config,
    runtimeConfig: isObject(runtimeConfig) ? runtimeConfig : {},
  };
}

function readVersion(
  command: PluginCommand,
  config: JsonObject,
  versions: readonly CniVersion[],
): CniVersion {
  const given =
    config.cniVersion === undefined || config.cniVersion === '' ? '0.1.0' : String(config.cniVersion);
  const since = SINCE[command] ?? '0.1.0';
  const accepted = versions.filter((version) => atLeast(version, since));
  if (isKnownVersion(given) && accepted.includes(given)) return given;
  const details = `${command}: config is "${given}", plugin supports ${accepted.join(', ')}`;
  throw new PluginError(PLUGIN_CODES.version, 'incompatible CNI versions', details);
}

/** @throws PluginError 7 when it is there and wrong */
export function readPrevious(config: JsonObject, version: CniVersion): CniResult | undefined {
  if (config.prevResult === undefined || config.prevResult === null) return undefined;
  try {
    return parseResult(config.prevResult, version);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new PluginError(PLUGIN_CODES.config, `prevResult cannot be read: ${text}`);
  }
}

/** @throws PluginError 7: without the list everything would count as left over */
export function readValid(config: JsonObject): AttachmentKey[] {
  const list = config['cni.dev/valid-attachments'];
  if (Array.isArray(list) && list.every(isAttachment)) {
    return list.map(({ containerID, ifname }) => ({ containerId: containerID, ifName: ifname }));
  }
  const message = 'cni.dev/valid-attachments must be a list of {containerID, ifname}';
  throw new PluginError(PLUGIN_CODES.config, message);
}

function isAttachment(entry: Json): entry is { readonly containerID: string; readonly ifname: string } {
  return isObject(entry) && typeof entry.containerID === 'string' && typeof entry.ifname === 'string';
}
