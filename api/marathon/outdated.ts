import type { AppInput } from './app-schema.ts';

/** Stored fields that say the same as one of the update in another form, or that make no sense beside it. */
export function outdatedBy(update: AppInput): readonly string[] {
  const oldNetwork = update.container?.docker?.network !== undefined;
  return [
    'version',
    ...(update.cmd === undefined ? [] : ['args']),
    ...(update.args === undefined || update.args.length === 0 ? [] : ['cmd']),
    ...(update.ports === undefined ? [] : ['portDefinitions']),
    ...(update.uris === undefined ? [] : ['fetch']),
    ...(update.ipAddress !== undefined || oldNetwork ? ['networks'] : []),
    ...(leavesHost(update) ? ['portDefinitions', 'requirePorts'] : []),
  ];
}

/** Whether the update moves the app away from the agent's own network, where port definitions belong. */
function leavesHost({ networks, ipAddress, container }: AppInput): boolean {
  const old = container?.docker?.network;
  if (old !== undefined) return old !== 'HOST';
  return ipAddress !== undefined || (networks?.some(({ mode }) => mode !== 'host') ?? false);
}
