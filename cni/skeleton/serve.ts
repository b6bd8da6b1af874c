import type { Json, JsonObject } from '../json.ts';
import { formatResult } from '../result/format.ts';
import { type CniVersion, NEWEST_VERSION } from '../versions.ts';
import {
  type Environment,
  isAboutAttachment,
  type PluginCommand,
  readCommand,
  readVariables,
} from './environment.ts';
import { PLUGIN_CODES, type Plugin, PluginError } from './plugin.ts';
import { readConfig, readPrevious, readRequest, readValid } from './request.ts';

export type PluginInput = {
  readonly env: Environment;
  /** The whole standard input. For VERSION it may stay open: then this resolves to an empty string. */
  readStdin(command: PluginCommand): Promise<string>;
};

export type PluginOutput = { readonly exitCode: number; readonly stdout: string };

/** Serves one call of a plugin: reads and checks what the runtime says, and writes the answer in the version it asked for. */
export async function servePlugin(plugin: Plugin, input: PluginInput): Promise<PluginOutput> {
  let version: string = plugin.versions.at(-1) ?? NEWEST_VERSION;
  try {
    const command = readCommand(input.env);
    const variables = readVariables(command, input.env);
    const stdin = await input.readStdin(command);
    if (command === 'VERSION') return answer(versionAnswer(plugin, stdin, version));
    const config = readConfig(stdin);
    const request = readRequest(command, config, plugin.versions);
    version = request.cniVersion;
    const call = { env: input.env, stdin };
    return answer(await perform(plugin, command, { ...request, ...variables, call }));
  } catch (error) {
    return { exitCode: 1, stdout: JSON.stringify({ cniVersion: version, ...errorAnswer(error) }) };
  }
}

type FullRequest = Parameters<Plugin['add']>[0];

async function perform(
  plugin: Plugin,
  command: PluginCommand,
  request: FullRequest,
): Promise<JsonObject | undefined> {
  if (isAboutAttachment(command)) return performOnAttachment(plugin, command, request);
  if (command === 'GC') await plugin.gc({ ...request, valid: readValid(request.config) });
  else await plugin.status(request);
  return undefined;
}

async function performOnAttachment(plugin: Plugin, command: PluginCommand, request: FullRequest) {
  const previous = readPrevious(request.config, request.cniVersion);
  const full = previous === undefined ? request : { ...request, previous };
  if (command === 'ADD') return formatResult(await plugin.add(full), request.cniVersion);
  if (command === 'DEL') await plugin.del(full);
  else if (previous === undefined) throw new PluginError(PLUGIN_CODES.config, 'CHECK needs prevResult');
  else await plugin.check({ ...full, previous });
  return undefined;
}

function versionAnswer(plugin: Plugin, stdin: string, newest: string): JsonObject {
  const asked = stdin.trim() === '' ? undefined : readConfig(stdin).cniVersion;
  const cniVersion = typeof asked === 'string' && asked !== '' ? asked : newest;
  return { cniVersion, supportedVersions: plugin.versions as readonly CniVersion[] };
}

function answer(json: JsonObject | undefined): PluginOutput {
  return { exitCode: 0, stdout: json === undefined ? '' : JSON.stringify(json) };
}

function errorAnswer(error: unknown): Record<string, Json> {
  const msg = error instanceof Error ? error.message : String(error);
  if (!(error instanceof PluginError)) return { code: PLUGIN_CODES.internal, msg };
  return { code: error.cniCode, msg, ...(error.details === '' ? {} : { details: error.details }) };
}
