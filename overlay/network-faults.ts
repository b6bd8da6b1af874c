import { type Cidr4, overlaps, parseCidr4 } from '../core/kit/ip.ts';
import type { Network } from '../core/model/network.ts';
import { InvalidNetwork } from './errors.ts';
import { bridgeName } from './names.ts';

/** A range that no network may use, and what it is for: "the virtual addresses". */
export type ReservedRange = { readonly cidr: string; readonly what: string };

export type Surroundings = {
  /** Networks that exist already; one of the same name is the one being changed and is left out. */
  readonly others: readonly Network[];
  /** For example the underlay and the range of virtual addresses. */
  readonly reserved?: readonly ReservedRange[];
  /** Names of the backends that agents have; absent: any. */
  readonly backends?: readonly string[];
};

/** The `m-` and `d-` devices of the DC/OS overlay set this bound (overlay.md §2). */
const MAX_NAME = 13;
/** Below it IPv4 hosts need not reassemble. */
const MIN_MTU = 552;
/** Smallest share with room for the gateway and one container; host-local refuses less. */
const MAX_AGENT_PREFIX = 30;

const loopback: ReservedRange = { cidr: '127.0.0.0/8', what: 'the loopback range' };
const special: readonly ReservedRange[] = [
  { cidr: '0.0.0.0/8', what: '"this network"' },
  { cidr: '169.254.0.0/16', what: 'link-local addresses' },
  { cidr: '224.0.0.0/4', what: 'multicast' },
  { cidr: '240.0.0.0/4', what: 'the reserved class E' },
];

/** @throws InvalidNetwork with every fault of the definition */
export function checkNetwork(network: Network, around: Surroundings): void {
  const faults = networkFaults(network, around);
  if (faults.length > 0) throw new InvalidNetwork(network.name, faults);
}

/** What is wrong with a definition, one sentence for each problem; empty when it can be used. */
export function networkFaults(network: Network, around: Surroundings): readonly string[] {
  const others = around.others.filter((other) => other.name !== network.name);
  return [
    ...nameFaults(network, others),
    ...backendFaults(network, around.backends),
    ...rangeFaults(network, others, around.reserved ?? []),
    ...numberFaults(network),
    ...tunnelFaults(network, others),
    ...pluginFaults(network),
  ];
}

function nameFaults({ name }: Network, others: readonly Network[]): string[] {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name))
    return [
      `name "${name}" must begin with a letter or digit and hold only letters, digits, "_", "." and "-"`,
    ];
  if (name.length > MAX_NAME)
    return [`name "${name}" has ${name.length} characters, at most ${MAX_NAME} fit`];
  const twin = others.find((other) => bridgeName(other.name) === bridgeName(name));
  return twin === undefined ? [] : [`name "${name}" gives the same device name as network ${twin.name}`];
}

function backendFaults({ backend }: Network, known: readonly string[] | undefined): string[] {
  if (known === undefined || known.includes(backend)) return [];
  return [`backend "${backend}" is not one of ${known.join(', ')}`];
}

function rangeFaults(
  network: Network,
  others: readonly Network[],
  reserved: readonly ReservedRange[],
): string[] {
  const range = rangeOf(network.cidr);
  if (range === undefined) return [`cidr "${network.cidr}" is not an IPv4 range (a.b.c.d/n, host bits zero)`];
  const onLoopback = network.backend === 'loopback';
  return [
    ...prefixFaults(network, range),
    ...(onLoopback && !overlaps(range, parseCidr4(loopback.cidr))
      ? [`cidr ${network.cidr} must lie in ${loopback.cidr} for backend loopback`]
      : []),
    ...[...special, ...reserved, ...(onLoopback ? [] : [loopback])]
      .filter(({ cidr }) => overlaps(range, parseCidr4(cidr)))
      .map(({ cidr, what }) => `cidr ${network.cidr} overlaps ${cidr}, ${what}`),
    ...others
      .filter(({ cidr }) => overlaps(range, parseCidr4(cidr)))
      .map(({ name, cidr }) => `cidr ${network.cidr} overlaps ${cidr} of network ${name}`),
  ];
}

function prefixFaults({ cidr, agentPrefix }: Network, { prefix }: Cidr4): string[] {
  if (prefix < 8) return [`cidr ${cidr} must have a prefix of at least 8`];
  if (Number.isInteger(agentPrefix) && agentPrefix > prefix && agentPrefix <= MAX_AGENT_PREFIX) return [];
  const need =
    prefix < MAX_AGENT_PREFIX ? `must be ${prefix + 1} to ${MAX_AGENT_PREFIX}` : 'has no room in the range';
  return [`agentPrefix ${agentPrefix} ${need}`];
}

function rangeOf(cidr: string): Cidr4 | undefined {
  try {
    return parseCidr4(cidr);
  } catch {
    return undefined;
  }
}

function numberFaults({ vni, port, mtu }: Network): string[] {
  return [
    ...between('vni', vni, 1, 0xffffff),
    ...between('port', port, 1, 65_535),
    ...(mtu === undefined ? [] : between('mtu', mtu, MIN_MTU, 65_535)),
  ];
}

function between(field: string, value: number, low: number, high: number): string[] {
  return Number.isInteger(value) && value >= low && value <= high
    ? []
    : [`${field} ${value} must be ${low} to ${high}`];
}

/** Two tunnels of a host cannot share port and identifier. */
function tunnelFaults(network: Network, others: readonly Network[]): string[] {
  if (network.backend !== 'vxlan') return [];
  const twin = others.find(
    (other) => other.backend === 'vxlan' && other.vni === network.vni && other.port === network.port,
  );
  return twin === undefined
    ? []
    : [`vni ${network.vni} on port ${network.port} is used by network ${twin.name}`];
}

function pluginFaults({ plugins = [] }: Network): string[] {
  return plugins.flatMap((plugin, index) =>
    typeof plugin === 'object' && plugin !== null && 'type' in plugin && typeof plugin.type === 'string'
      ? []
      : [`plugins[${index}] must be an object with a "type"`],
  );
}
