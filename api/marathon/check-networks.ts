import type { AppInput, PortMappingInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

/** Marathon §11. */
export function checkNetworks(input: AppInput, faults: Faults): void {
  checkMixing(input, faults);
  checkModes(input, faults);
  checkDefinitions(input, faults);
  const mappings = input.container?.portMappings ?? input.container?.docker?.portMappings ?? [];
  const base =
    input.container?.portMappings === undefined
      ? '/container/docker/portMappings'
      : '/container/portMappings';
  checkMappings(mappings, base, input, faults);
}

/** Old and new forms of the same thing do not go together (§11.7). */
function checkMixing(input: AppInput, faults: Faults): void {
  const docker = input.container?.docker;
  if (docker?.network !== undefined && input.networks !== undefined) {
    faults.add('/', 'must not specify both container.docker.network and networks');
  }
  if (input.ipAddress !== undefined && input.networks !== undefined) {
    faults.add('/', 'must not specify both networks and ipAddress');
  }
  if (docker?.portMappings !== undefined && input.container?.portMappings !== undefined) {
    faults.add('/', 'cannot mix deprecated and canonical network APIs');
  }
  if (docker?.network?.toUpperCase() === 'NONE')
    faults.add('/container/docker/network', 'unsupported docker network type');
  if (input.ports !== undefined && input.portDefinitions !== undefined) {
    const same =
      JSON.stringify(input.ports) === JSON.stringify(input.portDefinitions.map((port) => port.port ?? 0));
    if (!same) faults.add('/', 'cannot specify both ports and port definitions');
  }
}

function checkModes(input: AppInput, faults: Faults): void {
  const networks = (input.networks ?? []).map((network) => ({ mode: 'container' as const, ...network }));
  const add = (error: string) => faults.add('/networks', error);
  if (networks.some((n) => n.mode === 'host' && (n.name !== undefined || n.labels !== undefined))) {
    add('Host networks may not have names or labels');
  }
  if (networks.some((n) => n.mode === 'container/bridge' && n.name !== undefined))
    add('Bridge networks may not have names');
  const container = networks.filter((n) => n.mode === 'container');
  if (container.some((n) => n.name === undefined))
    add('Network name must be specified when container network is selected.');
  if (new Set(networks.map((n) => `${n.mode} ${n.name}`)).size !== networks.length)
    add('Duplicate networks are not allowed');
  if (networks.length > 1 && container.length !== networks.length) {
    add('May specify a single host network, single bridge network, or else 1-to-n container networks');
  }
  if (input.ipAddress !== undefined && input.ipAddress.networkName === undefined) {
    faults.add('/ipAddress', 'Network name must be specified when container network is selected.');
  }
}

function checkDefinitions(input: AppInput, faults: Faults): void {
  const definitions = input.portDefinitions ?? [];
  const names = definitions.flatMap((port) => port.name ?? []);
  if (new Set(names).size !== names.length) faults.add('/portDefinitions', 'Port names must be unique.');
  const ports = [...definitions.map((port) => port.port ?? 0)].filter((port) => port !== 0);
  if (new Set(ports).size !== ports.length) faults.add('/portDefinitions', 'Ports must be unique.');
  const old = (input.ports ?? []).filter((port) => port !== 0);
  if (new Set(old).size !== old.length) faults.add('/ports', 'ports must be unique');
}

function checkMappings(
  mappings: readonly PortMappingInput[],
  base: string,
  input: AppInput,
  faults: Faults,
): void {
  const names = mappings.flatMap((port) => port.name ?? []);
  if (new Set(names).size !== names.length) faults.add(base, 'Port names must be unique.');
  const networks = (input.networks ?? []).flatMap((network) => network.name ?? []);
  for (const [index, port] of mappings.entries()) {
    for (const [at, name] of (port.networkNames ?? []).entries()) {
      if (!networks.includes(name))
        faults.add(
          `${base}(${index})/networkNames(${at})`,
          `'${name}' is not one of the networks of the app`,
        );
    }
    if (port.hostPort !== undefined && networks.length > 1 && port.networkNames?.length !== 1) {
      faults.add(
        `${base}(${index})`,
        'networkNames must be a single item list when hostPort is specified and more than 1 container network is defined',
      );
    }
  }
}
