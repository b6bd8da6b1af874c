import type { PortMapping } from '../../core/model/app.ts';
import type { AppInput } from './app-schema.ts';
import type { AppDraft } from './normalise.ts';
import type { Faults } from './schema.ts';

/** Marathon §11. */
export function checkNetworks(input: AppInput, draft: AppDraft, faults: Faults): void {
  checkMixing(input, faults);
  checkModes(input.networks ?? [], draft, faults);
  checkDefinitions(input, faults);
  checkMappings(draft, mappingsPath(input), faults);
}

/** Old and new forms of the same thing do not go together (§11.7). */
function checkMixing(input: AppInput, faults: Faults): void {
  const { networks, ipAddress, ports, portDefinitions } = input;
  const docker = input.container?.docker;
  const refuse = (applies: boolean, error: string) => {
    if (applies) faults.add('/', error);
  };
  const isMixed = networks !== undefined || input.container?.portMappings !== undefined;
  refuse(
    docker?.network !== undefined && networks !== undefined,
    'must not specify both container.docker.network and networks',
  );
  refuse(ipAddress !== undefined && networks !== undefined, 'must not specify both networks and ipAddress');
  refuse(docker?.portMappings !== undefined && isMixed, 'cannot mix deprecated and canonical network APIs');
  refuse(
    ipAddress !== undefined && [ports, portDefinitions].some((list) => (list ?? []).length > 0),
    'cannot specify both an IP address and port',
  );
  refuse(portFormsDiffer(input), 'cannot specify both ports and port definitions');
  if (docker?.network === 'NONE') faults.add('/container/docker/network', 'unsupported docker network type');
  if (ipAddress?.discovery !== undefined && input.container !== undefined && input.container.type !== 'MESOS')
    faults.add('/ipAddress/discovery', 'ipAddress/discovery is not allowed for Docker containers');
}

function portFormsDiffer({ ports, portDefinitions }: AppInput): boolean {
  if (ports === undefined || portDefinitions === undefined) return false;
  const defined = portDefinitions.map((definition) => definition.port ?? 0);
  return defined.length !== ports.length || defined.some((port, index) => port !== ports[index]);
}

/** Which networks go together (§11.1), for apps and pods. `given`: as the client wrote them. */
export function checkModes(given: NonNullable<AppInput['networks']>, draft: AppDraft, faults: Faults): void {
  const add = (error: string) => faults.add('/networks', error);
  const networks = given.map((network) => ({ mode: 'container' as const, ...network }));
  const hasLabels = (labels = {}) => Object.keys(labels).length > 0;
  if (networks.some((n) => n.mode === 'host' && (n.name !== undefined || hasLabels(n.labels))))
    add('Host networks may not have names or labels');
  if (networks.some((n) => n.mode === 'container/bridge' && n.name !== undefined))
    add('Bridge networks may not have names');
  const joined = draft.networks.map((n) => (n.mode === 'container' ? n.name : `${n.mode} `));
  if (new Set(joined).size !== joined.length) add('Duplicate networks are not allowed');
  const container = draft.networks.filter((n) => n.mode === 'container');
  if (draft.networks.length > 1 && container.length !== draft.networks.length)
    add('May specify a single host network, single bridge network, or else 1-to-n container networks');
  if (container.length > 1 && draft.container?.type === 'DOCKER')
    add('may only specify a single container network when using the Docker container engine');
}

function checkDefinitions(input: AppInput, faults: Faults): void {
  const definitions = input.portDefinitions ?? [];
  if (hasDuplicates(definitions.flatMap((port) => port.name ?? [])))
    faults.add('/portDefinitions', 'Port names must be unique.');
  if (hasDuplicates(definitions.flatMap((port) => port.port || [])))
    faults.add('/portDefinitions', 'Ports must be unique.');
  if (hasDuplicates((input.ports ?? []).filter((port) => port !== 0)))
    faults.add('/ports', 'ports must be unique');
}

function checkMappings(draft: AppDraft, path: string, faults: Faults): void {
  const mappings = draft.container?.portMappings ?? [];
  if (hasDuplicates(mappings.flatMap((port) => port.name ?? [])))
    faults.add(path, 'Port names must be unique.');
  const networks = draft.networks.flatMap((network) => (network.mode === 'container' ? network.name : []));
  for (const [index, port] of mappings.entries())
    checkMapping(port, { path: `${path}(${index})`, networks }, faults);
}

function checkMapping(
  { networkNames, hostPort }: PortMapping,
  { path, networks }: { path: string; networks: readonly string[] },
  faults: Faults,
): void {
  for (const [index, name] of networkNames.entries()) {
    if (networks.includes(name)) continue;
    faults.add(`${path}/networkNames(${index})`, `'${name}' is not one of the networks of the app`);
  }
  if (hostPort !== undefined && networks.length > 1 && networkNames.length !== 1) {
    const error =
      'networkNames must be a single item list when hostPort is specified and more than 1 container network is defined';
    faults.add(path, error);
  }
}

function mappingsPath({ container, ipAddress }: AppInput): string {
  if (container?.portMappings !== undefined) return '/container/portMappings';
  if (container?.docker?.portMappings !== undefined) return '/container/docker/portMappings';
  return ipAddress?.discovery === undefined ? '/container/portMappings' : '/ipAddress/discovery/ports';
}

function hasDuplicates(items: readonly unknown[]): boolean {
  return new Set(items).size !== items.length;
}
