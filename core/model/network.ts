import type { AgentId } from './ids.ts';

/** A container network of the cluster. Unchangeable once an agent holds a lease of it. */
export type Network = {
  readonly name: string;
  /** IPv4 range, `100.64.0.0/16`. */
  readonly cidr: string;
  /** Prefix length of each agent's share, larger than the range's. */
  readonly agentPrefix: number;
  /** Name of a NetworkBackend. */
  readonly backend: string;
  /** VXLAN network identifier, 1..16777215. */
  readonly vni: number;
  /** VXLAN UDP port. */
  readonly port: number;
  /** Bytes; absent: derived from the underlay. */
  readonly mtu?: number;
  /** Whether packets may leave the cluster: `none` refuses them, `masquerade` hides them behind the agent. */
  readonly egress: 'none' | 'masquerade';
  /** Extra CNI plugins after the backend's own, as in a configuration list's `plugins`. */
  readonly plugins?: readonly unknown[];
};

/** An agent's share of a network. Durable: an agent that comes back gets the same one. */
export type Lease = {
  readonly network: string;
  readonly agentId: AgentId;
  /** IPv4 range, `100.64.3.0/24`. */
  readonly subnet: string;
  /** The agent's underlay address: where tunnelled packets go. */
  readonly agentAddress: string;
  /** MAC of the agent's tunnel device, derived from the subnet. */
  readonly tunnelMac: string;
};

/** Name of the network every installation has. */
export const defaultNetwork = 'weir';
