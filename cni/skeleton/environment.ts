import { delimiter } from 'node:path';
import { isIdentifier, isInterfaceName } from '../names.ts';
import { PLUGIN_CODES, PluginError } from './plugin.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const COMMANDS = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'] as const;
export type PluginCommand = (typeof COMMANDS)[number];

const ATTACHMENT = ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'];

export type Variables = {
  readonly containerId: string;
  readonly netns: string;
  readonly ifName: string;
  readonly args: string;
  readonly path: readonly string[];
};

/** @throws PluginError 4 */
export function readCommand(env: Environment): PluginCommand {
  const value = env.CNI_COMMAND ?? '';
  if (value === '') throw missing(['CNI_COMMAND']);
  const command = COMMANDS.find((known) => known === value);
  if (command !== undefined) return command;
  throw new PluginError(PLUGIN_CODES.environment, `unknown CNI_COMMAND: ${value}`);
}

/** @throws PluginError 4 naming every variable that is missing, or all that are wrong */
export function readVariables(command: PluginCommand, env: Environment): Variables {
  const absent = required(command).filter((name) => (env[name] ?? '') === '');
  if (absent.length > 0) throw missing(absent);
  const variables = {
    containerId: env.CNI_CONTAINERID ?? '',
    netns: env.CNI_NETNS ?? '',
    ifName: env.CNI_IFNAME ?? '',
    args: env.CNI_ARGS ?? '',
    path: (env.CNI_PATH ?? '').split(delimiter).filter((dir) => dir !== ''),
  };
  if (isAboutAttachment(command)) checkNames(variables);
  return variables;
}

export function isAboutAttachment(command: PluginCommand): boolean {
  return command === 'ADD' || command === 'DEL' || command === 'CHECK';
}

function required(command: PluginCommand): readonly string[] {
  if (!isAboutAttachment(command)) return [];
  return command === 'DEL' ? ATTACHMENT.filter((name) => name !== 'CNI_NETNS') : ATTACHMENT;
}

function checkNames({ containerId, ifName }: Variables): void {
  const faults = [
    ...(isIdentifier(containerId) ? [] : [`CNI_CONTAINERID "${containerId}"`]),
    ...(isInterfaceName(ifName) ? [] : [`CNI_IFNAME "${ifName}"`]),
  ];
  if (faults.length === 0) return;
  throw new PluginError(PLUGIN_CODES.environment, `invalid value of ${faults.join(' and ')}`);
}

function missing(names: readonly string[]): PluginError {
  const message = `required environment variables missing: ${names.join(', ')}`;
  return new PluginError(PLUGIN_CODES.environment, message);
}
