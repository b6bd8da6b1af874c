import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/kit/clock.ts';
import { errorCode, errorText } from '../core/kit/errors.ts';
import type { Log } from '../core/kit/log.ts';
import { Loop } from '../core/kit/loop.ts';
import type { Part } from '../core/kit/part.ts';
import { Watched } from '../core/kit/watched.ts';
import type { AgentId } from '../core/model/ids.ts';
import type { Lease, Network } from '../core/model/network.ts';
import type { Cluster, NetworkBackend, OwnShare } from './backend.ts';
import { gatewayOf } from './names.ts';
import type { NetworkState, NetworkStates } from './network-state.ts';
import { createPlanFile, obsolete, withInstalled, withLease, withoutInstalled } from './plan.ts';

export type KeeperOptions = {
  readonly agentId: AgentId;
  /** The address of this host that other agents reach it at. */
  readonly agentAddress: string;
  readonly backends: readonly NetworkBackend[];
  readonly dataDir: string;
  /** As `MasterPort.lease`. */
  readonly leaseOf: (network: string) => Promise<Lease>;
  /** Whether containers still hang on a network; it is then not removed yet. */
  readonly inUse: (network: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds between two looks at the kernel (default 5000). */
  readonly driftMs?: number;
};

/** Keeps this host's side of every network right: leases, kernel objects, drift. */
export type Keeper = Part & {
  readonly states: Watched<NetworkStates>;
  /** The whole set of the cluster. */
  update(networks: readonly Network[], leases: readonly Lease[]): void;
  clusterOf(network: string): Cluster;
  backendOf(network: Network): NetworkBackend | undefined;
  /** Networks wanted or installed. */
  networks(): readonly Network[];
  /** Stops, and takes down every network of this host. @returns the names of those that could not be */
  clear(): Promise<readonly string[]>;
};

export function createKeeper(options: KeeperOptions): Keeper {
  const { agentId, agentAddress, backends, clock, log, driftMs = 5_000 } = options;
  const plan = createPlanFile(join(options.dataDir, 'networks.json'));
  const states = new Watched<NetworkStates>(new Map());
  /** What each network was last synced to: a change against an unchanged cluster is a repair. */
  const synced = new Map<string, Cluster>();
  /** Outlives the times a network fails. */
  const repaired = new Map<string, number>();
  const loop = new Loop(round, { name: 'overlay', clock, log, everyMs: driftMs });

  async function round(): Promise<void> {
    await plan.save();
    for (const network of obsolete(plan.value)) await removeOld(network);
    for (const network of plan.value.networks) await keep(network);
    forgetStates();
  }

  async function keep(network: Network): Promise<void> {
    try {
      const backend = backendOf(network);
      if (backend === undefined) throw new Error(`this agent has no backend ${network.backend}`);
      const lease = await ownLease(network);
      if ('missing' in lease) setState({ kind: 'pending', network, reason: lease.missing });
      else setState(await bring(backend, { network, lease }));
    } catch (error) {
      fail(network, error);
    }
  }

  async function bring(backend: NetworkBackend, share: OwnShare): Promise<NetworkState> {
    const { network, lease } = share;
    await install(network);
    const cluster = clusterOf(network.name);
    const isReady = readyState(network.name) !== undefined;
    const prepared = isReady ? [] : (await backend.prepare(share, cluster)).changes;
    const { mtu, changes: rest } = await backend.sync(share, cluster);
    const changes = [...prepared, ...rest];
    if (changes.length > 0) log.info('network put right', { network: network.name, ...summary(changes) });
    if (isDeepStrictEqual(synced.get(network.name), cluster))
      repaired.set(network.name, (repaired.get(network.name) ?? 0) + changes.length);
    synced.set(network.name, cluster);
    return {
      kind: 'ready',
      network,
      lease,
      gateway: gatewayOf(lease.subnet),
      mtu,
      peers: cluster.peers.length,
      repaired: repaired.get(network.name) ?? 0,
    };
  }

  /** @throws AddressPoolFull */
  async function ownLease({ name }: Network): Promise<Lease | { readonly missing: string }> {
    const told = plan.value.leases.find(({ network, agentId: id }) => network === name && id === agentId);
    if (told?.agentAddress === agentAddress) return told;
    try {
      const lease = await options.leaseOf(name);
      plan.change((now) => withLease(now, lease));
      await plan.save();
      return lease;
    } catch (error) {
      if (errorCode(error) === 'WEIR_ADDRESS_POOL_FULL') throw error;
      const reason = errorText(error);
      log.warn('no master confirms the share of a network', { network: name, reason });
      const known = told ?? readyState(name)?.lease;
      return known === undefined
        ? { missing: `no master gives it a share yet: ${reason}` }
        : { ...known, agentAddress };
    }
  }

  /** On record before the first object is made: a crash leaves a name to clean up by. */
  async function install(network: Network): Promise<void> {
    const known = plan.value.installed.find(({ name }) => name === network.name);
    if (isDeepStrictEqual(known, network)) return;
    plan.change((now) => withInstalled(now, network));
    await plan.save();
  }

  async function removeOld(network: Network): Promise<void> {
    try {
      if (await options.inUse(network.name)) return;
      await backendOf(network)?.remove(network);
      synced.delete(network.name);
      repaired.delete(network.name);
      await rm(join(ipamDirOf(options.dataDir), network.name), { recursive: true, force: true });
      plan.change((now) => withoutInstalled(now, network.name));
      await plan.save();
      log.info('network removed', { network: network.name });
    } catch (error) {
      log.error('network not removed', { network: network.name, reason: errorText(error) });
    }
  }

  function fail(network: Network, error: unknown): void {
    const reason = errorText(error);
    const before = states.value.get(network.name);
    if (before?.kind !== 'failed' || before.reason !== reason)
      log.error('network not ready', { network: network.name, reason });
    setState({ kind: 'failed', network, reason, error });
  }

  function readyState(network: string) {
    const state = states.value.get(network);
    return state?.kind === 'ready' ? state : undefined;
  }

  function setState(state: NetworkState): void {
    if (isDeepStrictEqual(states.value.get(state.network.name), state)) return;
    states.set(new Map([...states.value, [state.network.name, state]]));
  }

  function forgetStates(): void {
    const names = new Set(plan.value.networks.map(({ name }) => name));
    const kept = [...states.value].filter(([name]) => names.has(name));
    if (kept.length < states.value.size) states.set(new Map(kept));
  }

  function clusterOf(network: string): Cluster {
    const { networks, leases } = plan.value;
    return {
      peers: leases.filter((lease) => lease.network === network && lease.agentId !== agentId),
      ranges: networks.map(({ cidr }) => cidr),
      agents: [...new Set([agentAddress, ...leases.map((lease) => lease.agentAddress)])].toSorted(),
    };
  }

  function backendOf(network: Network): NetworkBackend | undefined {
    return backends.find(({ name }) => name === network.backend);
  }

  return {
    states,
    clusterOf,
    backendOf,
    networks: () => [...plan.value.networks, ...obsolete(plan.value)],
    update(networks, leases) {
      plan.change((now) => ({ ...now, networks, leases }));
      loop.wake();
    },
    async start() {
      await plan.load();
      await loop.start();
    },
    stop: () => loop.stop(),
    async clear() {
      await loop.stop();
      plan.change((now) => ({ ...now, networks: [], leases: [] }));
      for (const network of obsolete(plan.value)) await removeOld(network);
      forgetStates();
      await plan.save();
      return obsolete(plan.value).map(({ name }) => name);
    },
  };
}

/** A thousand peers change three thousand objects. */
function summary(changes: readonly string[]): object {
  return { count: changes.length, changes: changes.slice(0, 12) };
}

/** Where host-local keeps its reservations: with the agent's data, so that they outlive the agent. */
export function ipamDirOf(dataDir: string): string {
  return join(dataDir, 'ipam');
}
