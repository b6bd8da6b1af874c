import type { JsonObject } from '../cni/json.ts';
import type { Lease, Network } from '../core/model/network.ts';

/** A network with this host's share of it. */
export type OwnShare = { readonly network: Network; readonly lease: Lease };

/** What a backend needs to know of the rest of the cluster to make one network right on this host. */
export type Cluster = {
  /** Leases of this network, of all other agents. The whole set, every time. */
  readonly peers: readonly Lease[];
  /** Ranges of all networks. */
  readonly ranges: readonly string[];
  /** Addresses of all agents. */
  readonly agents: readonly string[];
};

/** How a network is in force on this host. */
export type InForce = {
  /** Bytes that a packet of a container may have. */
  readonly mtu: number;
  /** What was changed to get there, one line for each object; empty when nothing was wrong. */
  readonly changes: readonly string[];
};

/** As `inspect` finds the host: `ready`, or what is wrong. */
export type Inspection = { readonly ready: boolean; readonly faults: readonly string[] };

/** A plugin object of a CNI configuration list. */
export type PluginObject = { readonly type: string } & JsonObject;

/** How one interface is to be configured. */
export type InterfaceWish = {
  /** Takes the container's default route; otherwise it only reaches its own network. */
  readonly defaultRoute: boolean;
  /** Bytes, as `prepare` told. */
  readonly mtu: number;
};

/** One end of a network in one instance. */
export type AttachmentKey = { readonly instanceId: string; readonly ifName: string };

/** Containers are attached by CNI plugins. */
export interface CniAttaching {
  readonly kind: 'cni';
  /** The backend's own part of the configuration list, first plugin first. Pure. */
  pluginConfig(share: OwnShare, wish: InterfaceWish): readonly PluginObject[];
}

/** Instances share the host's network stack and only get an address of their own. */
export interface DirectAttaching {
  readonly kind: 'direct';
  /** The address (without prefix) that now belongs to the key; the same again when repeated. @throws AddressesExhausted */
  attach(share: OwnShare, key: AttachmentKey): Promise<string>;
  /** The key holds no address of the network any more; it need not have held one. Works without a lease. */
  detach(network: string, key: AttachmentKey): Promise<void>;
  /** Addresses of keys not in `valid` are free again. */
  recover(network: string, valid: readonly AttachmentKey[]): Promise<void>;
}

/**
 * THE SEAM to how packets of a network travel between hosts. A backend owns the kernel objects of a network on this host and nothing
 * else; it remembers nothing that it cannot read back from the kernel. Every method may be repeated, also by another process after
 * this one was killed. `prepare`, `sync` and `remove` of one network never overlap.
 */
export interface NetworkBackend {
  /** As in `Network.backend`. */
  readonly name: string;

  readonly attaching: CniAttaching | DirectAttaching;

  /**
   * After it: containers can be attached, the gateway address (first of the share) answers on this host, and an address of the network
   * that nobody serves is refused at once. Objects that fit already are left alone, so traffic goes on; peers' entries are not touched.
   * @throws UnderlayMissing, CommandFailed
   */
  prepare(share: OwnShare, cluster: Cluster): Promise<InForce>;

  /**
   * After it: everything `prepare` promises, every peer's share is reachable, and shares of others are not. Repairs what was changed by
   * hand. @throws UnderlayMissing, CommandFailed
   */
  sync(share: OwnShare, cluster: Cluster): Promise<InForce>;

  /** Reads, changes nothing. */
  inspect(share: OwnShare, cluster: Cluster): Promise<Inspection>;

  /** After it nothing of the network is left on this host. Containers must be detached before. @throws CommandFailed */
  remove(network: Network): Promise<void>;
}
