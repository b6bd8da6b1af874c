import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, errorText } from '../../core/kit/errors.ts';
import type { Log } from '../../core/kit/log.ts';
import { CniError } from '../errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { isIdentifier } from '../names.ts';
import { flag, type NetworkList, networkOf, parseConfig } from './network.ts';

export type LoadedNetworks = {
  /** One per name, in the order of their files. */
  readonly networks: readonly NetworkList[];
  /** Files that were left out, each error naming its file. */
  readonly problems: readonly CniError[];
};

/**
 * Reads every configuration of a directory: `.conflist` files first, then `.conf` and `.json`, each by name. A bad file is left out
 * and reported, and of two files with one network name the first wins. A directory that does not exist holds nothing.
 */
export async function loadNetworks(dir: string, log: Log): Promise<LoadedNetworks> {
  const networks = new Map<string, NetworkList>();
  const problems: CniError[] = [];
  for (const file of await configFiles(dir)) {
    try {
      const network = await loadFile(dir, file);
      if (networks.has(network.name)) throw duplicate(join(dir, file), network.name);
      networks.set(network.name, network);
    } catch (error) {
      const problem = asProblem(join(dir, file), error);
      log.warn('network configuration left out', { file: join(dir, file), reason: problem.message });
      problems.push(problem);
    }
  }
  return { networks: [...networks.values()], problems };
}

async function configFiles(dir: string): Promise<string[]> {
  const names = await listed(dir);
  const lists = names.filter((name) => name.endsWith('.conflist'));
  const single = names.filter((name) => name.endsWith('.conf') || name.endsWith('.json'));
  return [...lists, ...single];
}

async function listed(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).sort();
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}

async function loadFile(dir: string, file: string): Promise<NetworkList> {
  const path = join(dir, file);
  const json = parseConfig(await readFile(path, 'utf8'), path);
  return networkOf(await withNeighbours(dir, json), path);
}

/** Since 1.1 a list also takes the plugin objects of `{dir}/{name}/*.conf`, unless it says that it is complete. */
async function withNeighbours(dir: string, json: JsonObject): Promise<JsonObject> {
  const { name, plugins = [] } = json;
  if (flag(json.loadOnlyInlinedPlugins) || 'type' in json) return json;
  if (typeof name !== 'string' || !isIdentifier(name) || !Array.isArray(plugins)) return json;
  const found: Json[] = [];
  for (const file of (await pluginFiles(join(dir, name))).filter((entry) => entry.endsWith('.conf'))) {
    found.push(parseConfig(await readFile(join(dir, name, file), 'utf8'), join(dir, name, file)));
  }
  if (found.length === 0) return json;
  // The stored copy of this list must not pick up the same files a second time.
  return { ...json, plugins: [...plugins, ...found], loadOnlyInlinedPlugins: true };
}

async function pluginFiles(dir: string): Promise<string[]> {
  try {
    return await listed(dir);
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

function duplicate(path: string, name: string): CniError {
  const reason = `${path}: network ${name} is already defined by an earlier file`;
  return new CniError('WEIR_CNI_CONFIG', reason, { cniCode: 7 });
}

function asProblem(path: string, error: unknown): CniError {
  if (error instanceof CniError) return error;
  return new CniError('WEIR_CNI_CONFIG', `${path}: cannot be read: ${errorText(error)}`, { cause: error });
}
