import type { Cni } from '../cni/cni.ts';
import { errorCode, errorText } from '../core/kit/errors.ts';
import type { Part } from '../core/kit/part.ts';
import type { Lease, Network } from '../core/model/network.ts';
import { type Announce, announce as announceOnLink } from './announce.ts';
import { type Attached, type AttachRequest, attachByCni, attachDirectly, type ReadyState } from './attach.ts';
import type { AttachmentKey, Inspection } from './backend.ts';
import { NetworkNotReady, UnknownNetwork } from './errors.ts';
import { createKeeper, type KeeperOptions } from './keeper.ts';
import type { NetworkState } from './network-state.ts';

export type { Attached, AttachRequest } from './attach.ts';
export { ipamDirOf } from './keeper.ts';
export type { NetworkState } from './network-state.ts';

export type OverlayHostOptions = Omit<KeeperOptions, 'inUse'> & {
  /** Absent where no backend needs it (without root). */
  readonly cni?: Cni;
  /** Milliseconds that `ready` waits for a network that is on its way (default 15 000). */
  readonly readyWithinMs?: number;
  /** Default: `announce.ts`. */
  readonly announce?: Announce;
};

export type ReadyNetwork = ReadyState & {
  /** `cni`: a container with a network namespace is attached. `direct`: the instance shares the host's network stack. */
  readonly attaching: 'cni' | 'direct';
};

/** An attachment that exists, by instance, interface and network. */
export type AttachmentOf = AttachmentKey & { readonly network: string };

/** This host's side of the container networks. `stop` takes nothing down: containers and their packets go on. */
export type OverlayHost = Part & {
  /** What the cluster wants: all networks and all leases, every time. */
  update(networks: readonly Network[], leases: readonly Lease[]): void;

  /**
   * Resolves when instances can be attached to the network.
   * @throws UnknownNetwork, NetworkNotReady with the reason (a full address pool, no such backend, the kernel's words)
   */
  ready(network: string, signal?: AbortSignal): Promise<ReadyNetwork>;

  /**
   * Attaches an instance; waits for the network as `ready` does. Repeating it gives the same attachment. When it throws, nothing is left.
   * @throws CniError with the plugin's own text, AddressesExhausted, UnknownNetwork, NetworkNotReady
   */
  attach(request: AttachRequest, signal?: AbortSignal): Promise<Attached>;

  /** Undoes an attachment, also of a network that is gone, or of a namespace that is gone; need not have existed. @throws CniError */
  detach(attachment: AttachmentOf & { readonly netns?: string }): Promise<void>;

  /**
   * To be called once, when every live instance of this agent is known: takes down every attachment that is not in the list, and what an
   * earlier run left half done. What cannot be taken down is logged and tried again by the next `detach` or `recover`.
   */
  recover(valid: readonly AttachmentOf[]): Promise<void>;

  /**
   * Stops, and takes down every network that no attachment keeps.
   * @returns the names of those that are left; the log says why
   */
  clear(): Promise<readonly string[]>;

  /** Every wanted network, sorted by name. */
  status(): readonly NetworkState[];

  /** Called after each change of `status`. @returns the function that ends it */
  subscribe(listener: () => void): () => void;

  /** Looks at the kernel; changes nothing. @throws UnknownNetwork, NetworkNotReady */
  inspect(network: string): Promise<Inspection>;
};

export function createOverlayHost(options: OverlayHostOptions): OverlayHost {
  const { cni, clock, log, readyWithinMs = 15_000, announce = announceOnLink } = options;
  const keeper = createKeeper({ ...options, inUse });
  const { states } = keeper;

  async function inUse(network: string): Promise<boolean> {
    const records = (await cni?.attachments()) ?? [];
    return records.some((record) => record.network.name === network);
  }

  async function ready(name: string, signal?: AbortSignal): Promise<ReadyNetwork> {
    const state = await settled(name, signal);
    if (state?.kind === 'failed') throw notReady(state);
    if (state === undefined) throw new UnknownNetwork('attach to it', name, [...states.value.keys()]);
    if (state.kind === 'pending') throw new NetworkNotReady(name, state.reason);
    const attaching = keeper.backendOf(state.network)?.attaching.kind ?? 'direct';
    return { ...state, attaching };
  }

  /** The state of a network once it is ready or failed, or whatever it is when the time is up. */
  async function settled(name: string, signal?: AbortSignal): Promise<NetworkState | undefined> {
    const isSettled = (state: NetworkState | undefined) =>
      state?.kind === 'ready' || state?.kind === 'failed';
    if (isSettled(states.value.get(name))) return states.value.get(name);
    const end = new AbortController();
    const either = signal === undefined ? end.signal : AbortSignal.any([end.signal, signal]);
    const change = states.until((all) => isSettled(all.get(name)), either).catch(() => {});
    const tooLate = clock.sleep(readyWithinMs, either).catch(() => {});
    await Promise.race([change, tooLate]);
    end.abort();
    signal?.throwIfAborted();
    return states.value.get(name);
  }

  async function detach({ instanceId, ifName, network, netns = '' }: AttachmentOf & { netns?: string }) {
    for (const known of keeper.networks().filter(({ name }) => name === network)) {
      const attaching = keeper.backendOf(known)?.attaching;
      if (attaching?.kind === 'direct') await attaching.detach(network, { instanceId, ifName });
    }
    await cni?.del(network, { containerId: instanceId, ifName, netns });
  }

  async function recoverCni(valid: readonly AttachmentOf[]): Promise<void> {
    if (cni === undefined) return;
    await cni.recover();
    const live = new Set(valid.map(keyText));
    for (const { network, attachment } of await cni.attachments()) {
      const { containerId: instanceId, ifName } = attachment;
      if (live.has(keyText({ network: network.name, instanceId, ifName }))) continue;
      await cni.del(network, attachment).catch((error: unknown) => {
        log.error('old attachment not taken down', {
          network: network.name,
          instanceId,
          reason: errorText(error),
        });
      });
    }
  }

  return {
    start: () => keeper.start(),
    stop: () => keeper.stop(),
    update: (networks, leases) => keeper.update(networks, leases),
    ready,
    async attach(request, signal) {
      const state = await ready(request.network, signal);
      const backend = keeper.backendOf(state.network);
      if (backend?.attaching.kind === 'direct') return attachDirectly(backend.attaching, state, request);
      if (backend === undefined || cni === undefined)
        throw new NetworkNotReady(request.network, 'this agent runs no CNI plugins');
      const attached = await attachByCni(cni, backend.attaching, { state, request, signal });
      await announce(attached, request.netns);
      return attached;
    },
    detach,
    async recover(valid) {
      await recoverCni(valid);
      for (const network of keeper.networks()) {
        const attaching = keeper.backendOf(network)?.attaching;
        const own = valid.filter((each) => each.network === network.name);
        if (attaching?.kind === 'direct') await attaching.recover(network.name, own);
      }
    },
    clear: () => keeper.clear(),
    status: () => [...states.value.values()].toSorted((a, b) => (a.network.name < b.network.name ? -1 : 1)),
    subscribe: (listener) => states.subscribe(() => listener()),
    async inspect(name) {
      const { network, lease } = await ready(name);
      const backend = keeper.backendOf(network);
      if (backend === undefined)
        throw new NetworkNotReady(name, `this agent has no backend ${network.backend}`);
      return backend.inspect({ network, lease }, keeper.clusterOf(name));
    },
  };
}

function notReady({ network, reason, error }: NetworkState & { kind: 'failed' }): Error {
  // Known by its own code to those who look for other agents with room.
  if (errorCode(error) === 'WEIR_ADDRESS_POOL_FULL' && error instanceof Error) return error;
  return new NetworkNotReady(network.name, reason, error);
}

function keyText({ network, instanceId, ifName }: AttachmentOf): string {
  return `${network} ${instanceId} ${ifName}`;
}
