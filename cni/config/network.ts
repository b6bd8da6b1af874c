import { CniError } from '../errors.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../json.ts';
import { isIdentifier } from '../names.ts';
import { type CniVersion, KNOWN_VERSIONS, selectVersion } from '../versions.ts';

export type PluginConfig = {
  /** File name of the executable. */
  readonly type: string;
  /** Names of the capability arguments the plugin wants. */
  readonly capabilities: readonly string[];
  /** The plugin object as it was written. */
  readonly conf: JsonObject;
};

/** A network configuration list, checked. */
export type NetworkList = {
  readonly name: string;
  /** The version spoken with every plugin of the list. */
  readonly cniVersion: CniVersion;
  readonly disableCheck: boolean;
  readonly disableGC: boolean;
  readonly plugins: readonly PluginConfig[];
  /** The whole list; parsing it again gives this list, which is how it is stored with an attachment. */
  readonly json: JsonObject;
};

/**
 * Parses the text of a configuration list, or of a legacy single-plugin file.
 * @param source named in errors, for example the file
 * @throws CniError WEIR_CNI_CONFIG (all faults together) or WEIR_CNI_VERSION
 */
export function parseNetwork(text: string, source = 'network configuration'): NetworkList {
  return networkOf(parseConfig(text, source), source);
}

/** @throws CniError WEIR_CNI_CONFIG when the text is not a JSON object */
export function parseConfig(text: string, source: string): JsonObject {
  let json: Json;
  try {
    json = parseJson(text);
  } catch (cause) {
    throw configError(source, [`not JSON: ${cause instanceof Error ? cause.message : cause}`], cause);
  }
  if (!isObject(json)) throw configError(source, ['must be a JSON object']);
  return json;
}

/** As `parseNetwork`, for a value that is already parsed or was generated. */
export function networkOf(json: JsonObject, source = 'network configuration'): NetworkList {
  const list = upConverted(json);
  const faults = [...nameFaults(list), ...flagFaults(list), ...pluginFaults(list.plugins)];
  if (faults.length > 0) throw configError(source, faults);
  const name = String(list.name);
  return {
    name,
    cniVersion: versionOf(list, source),
    disableCheck: flag(list.disableCheck),
    disableGC: flag(list.disableGC),
    plugins: pluginsOf(list.plugins),
    json: list,
  };
}

/** A legacy file holds one plugin object; it becomes a list of one. */
function upConverted(json: JsonObject): JsonObject {
  if ('plugins' in json || !('type' in json)) return json;
  const version = json.cniVersion === undefined ? {} : { cniVersion: json.cniVersion };
  return { ...version, ...(json.name === undefined ? {} : { name: json.name }), plugins: [json] };
}

function nameFaults({ name }: JsonObject): string[] {
  if (typeof name !== 'string' || name === '') return ['"name" is missing'];
  if (isIdentifier(name)) return [];
  return [
    `"name" is "${name}", must begin with a letter or digit and hold only letters, digits, "_", "." and "-"`,
  ];
}

const FLAGS = ['disableCheck', 'disableGC', 'loadOnlyInlinedPlugins'] as const;

function flagFaults(list: JsonObject): string[] {
  return FLAGS.filter((key) => ![undefined, true, false, 'true', 'false'].includes(list[key] as boolean)).map(
    (key) => `"${key}" must be true or false`,
  );
}

function pluginFaults(plugins: Json | undefined): string[] {
  if (plugins === undefined) return ['"plugins" is missing'];
  if (!Array.isArray(plugins)) return ['"plugins" must be a list'];
  if (plugins.length === 0) return ['"plugins" is empty'];
  return plugins.flatMap((plugin: Json, index) =>
    pluginFault(plugin).map((fault) => `plugins[${index}]: ${fault}`),
  );
}

function pluginFault(plugin: Json): string[] {
  if (!isObject(plugin)) return ['must be an object'];
  const { type, capabilities } = plugin;
  if (typeof type !== 'string' || type === '') return ['"type" is missing'];
  if (type.includes('/') || type === '.' || type === '..')
    return [`"type" is "${type}", must be a file name`];
  if (capabilities !== undefined && !isObject(capabilities)) return ['"capabilities" must be an object'];
  return [];
}

function pluginsOf(plugins: Json | undefined): PluginConfig[] {
  if (!Array.isArray(plugins)) return [];
  return plugins.filter(isObject).map((conf) => ({
    type: String(conf.type),
    capabilities: enabled(conf.capabilities),
    conf,
  }));
}

function enabled(capabilities: Json | undefined): string[] {
  if (!isObject(capabilities)) return [];
  return Object.keys(capabilities).filter((key) => capabilities[key] === true);
}

function versionOf(list: JsonObject, source: string): CniVersion {
  // The library reads a missing version as 0.1.0, the documents as 0.2.0; the two formats are the same.
  const own = list.cniVersion === undefined || list.cniVersion === '' ? '0.1.0' : list.cniVersion;
  const more = Array.isArray(list.cniVersions) ? list.cniVersions : [];
  const offered = [own, ...more].map(String);
  const selected = selectVersion(offered);
  if (selected !== undefined) return selected;
  const reason = `${source}: offers only CNI ${offered.join(', ')}, known are ${KNOWN_VERSIONS.join(', ')}`;
  throw new CniError('WEIR_CNI_VERSION', reason, { cniCode: 1, network: String(list.name) });
}

/** libcni also reads the strings "true" and "false". */
export function flag(value: Json | undefined): boolean {
  return value === true || value === 'true';
}

function configError(source: string, faults: readonly string[], cause?: unknown): CniError {
  return new CniError('WEIR_CNI_CONFIG', `${source}: ${faults.join('; ')}`, { cniCode: 7, cause });
}
