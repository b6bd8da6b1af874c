import { contains, formatCidr4, parseCidr4, sizeOf } from '../core/kit/ip.ts';
import type { Agent } from '../core/model/agent.ts';
import type { Lease, Network } from '../core/model/network.ts';
import { AddressPoolFull, UnknownNetwork } from './errors.ts';
import { tunnelMac } from './names.ts';

/** The tables an assignment is decided from. */
export type AddressPlan = {
  readonly networks: readonly Network[];
  /** Of all networks and agents. */
  readonly leases: readonly Lease[];
};

/**
 * The agent's share of a network: the one it has (with its present address), else the lowest free one.
 * Pure: the caller writes the lease, and asks again when it lost the race for it.
 * @throws UnknownNetwork, AddressPoolFull
 */
export function assignLease(
  { networks, leases }: AddressPlan,
  agent: Pick<Agent, 'id' | 'address'>,
  networkName: string,
): Lease {
  const network = networks.find(({ name }) => name === networkName);
  if (network === undefined) {
    const known = networks.map(({ name }) => name);
    throw new UnknownNetwork(`give ${agent.id} a share`, networkName, known);
  }
  const taken = leases.filter((lease) => lease.network === networkName);
  const own = taken.find(({ agentId }) => agentId === agent.id);
  if (own !== undefined) return { ...own, agentAddress: agent.address };
  const subnet = lowestFree(network, taken);
  if (subnet === undefined) throw new AddressPoolFull(networkName, agent.id, usage(network));
  return {
    network: networkName,
    agentId: agent.id,
    subnet,
    agentAddress: agent.address,
    tunnelMac: tunnelMac(subnet),
  };
}

/** The lowest share that no lease touches, whatever prefix those leases were made with. */
function lowestFree(network: Network, taken: readonly Lease[]): string | undefined {
  const range = parseCidr4(network.cidr);
  const share = { base: range.base, prefix: network.agentPrefix };
  const used = taken.map(({ subnet }) => parseCidr4(subnet)).toSorted((a, b) => a.base - b.base);
  for (const { base, prefix } of used) {
    if (base >= share.base + sizeOf(share)) break;
    const end = base + 2 ** (32 - prefix);
    if (end > share.base) share.base += Math.ceil((end - share.base) / sizeOf(share)) * sizeOf(share);
  }
  return contains(range, share.base) ? formatCidr4(share) : undefined;
}

function usage({ cidr, agentPrefix }: Network): string {
  const shares = 2 ** (agentPrefix - parseCidr4(cidr).prefix);
  return `all ${shares} shares of /${agentPrefix} in ${cidr} are given to agents`;
}
