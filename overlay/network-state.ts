import type { Lease, Network } from '../core/model/network.ts';

/** How a network stands on this host. */
export type NetworkState =
  /** Not yet; `reason` says what is waited for. */
  | { readonly kind: 'pending'; readonly network: Network; readonly reason: string }
  | {
      readonly kind: 'ready';
      readonly network: Network;
      readonly lease: Lease;
      /** First address of the share; this host answers on it. */
      readonly gateway: string;
      /** Bytes. */
      readonly mtu: number;
      /** Other agents' shares that are reached. */
      readonly peers: number;
      /** Objects put right since the agent started, after they had been right once. */
      readonly repaired: number;
    }
  | { readonly kind: 'failed'; readonly network: Network; readonly reason: string; readonly error: unknown };

/** By network name. */
export type NetworkStates = ReadonlyMap<string, NetworkState>;
