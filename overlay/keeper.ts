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
import type { Cluster, NetworkBackend } from './backend.ts';
import { gatewayOf } from './names.ts';
import type { NetworkState, NetworkStates } from './network-state.ts';
import {
  emptyPlan,
  obsolete,
  type Plan,
  readPlan,
  withInstalled,
  withLease,
  withoutInstalled,
  writePlan,
} from './plan.ts';

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
};

export function createKeeper(options: KeeperOptions): Keeper {
  const { agentId, agentAddress, backends, log } = options;
  const path = join(options.dataDir, 'networks.json');
  const states = new Watched<NetworkStates>(new Map());
  /** What each network was last synced to: a change against an unchanged cluster is a repair. */
  const clusters = new Map<string, Cluster>();
  let plan = emptyPlan;
  let saved: Plan | undefined;
  const loop = new Loop(round, {
    name: 'overlay',
    clock: options.clock,
    log,
    everyMs: options.driftMs ?? 5_000,
  });

  async function round(): Promise<void> {
    await save();
    for (const network of obsolete(plan)) await removeOld(network);
    for (const network of plan.networks) await keep(network);
    forgetStates();
  }

  async function keep(network: Network): Promise<void> {
    try {
      setState(await bring(network));
    } catch (error) {
      fail(network, error);
    }
  }

  async function bring(network: Network): Promise<NetworkState> {
    const backend = backendOf(network);
    if (backend === undefined) throw new Error(`this agent has no backend ${network.backend}`);
    const lease = await ownLease(network);
    if (lease === undefined) return { kind: 'pending', network, reason: 'no master gives it a share yet' };
    await install(network);
    const share = { network, lease };
    const cluster = clusterOf(network.name);
    const before = states.value.get(network.name);
    if (before?.kind !== 'ready') await backend.prepare(share, cluster);
    const { mtu, changes } = await backend.sync(share, cluster);
    if (changes.length > 0) log.info('network put right', { network: network.name, ...summary(changes) });
    const isDrift = before?.kind === 'ready' && isDeepStrictEqual(clusters.get(network.name), cluster);
    clusters.set(network.name, cluster);
    const repaired = before?.kind === 'ready' ? before.repaired : 0;
    return {
      kind: 'ready',
      network,
      lease,
      gateway: gatewayOf(lease.subnet),
      mtu,
      peers: cluster.peers.length,
      repaired: repaired + (isDrift ? changes.length : 0),
    };
  }

  /** Undefined while no master answers. @throws AddressPoolFull */
  async function ownLease(network: Network): Promise<Lease | undefined> {
    const known = plan.leases.find((lease) => lease.network === network.name && lease.agentId === agentId);
    if (known?.agentAddress === agentAddress) return known;
    try {
      const lease = await options.leaseOf(network.name);
      plan = withLease(plan, lease);
      await save();
      return lease;
    } catch (error) {
      if (errorCode(error) === 'WEIR_ADDRESS_POOL_FULL') throw error;
      log.warn('no share of a network yet', { network: network.name, reason: errorText(error) });
      return known;
    }
  }

  /** On record before the first object is made: a crash leaves a name to clean up by. */
  async function install(network: Network): Promise<void> {
    if (
      isDeepStrictEqual(
        plan.installed.find(({ name }) => name === network.name),
        network,
      )
    )
      return;
    plan = withInstalled(plan, network);
    await save();
  }

  async function removeOld(network: Network): Promise<void> {
    try {
      if (await options.inUse(network.name)) return;
      await backendOf(network)?.remove(network);
      await rm(join(ipamDirOf(options.dataDir), network.name), { recursive: true, force: true });
      plan = withoutInstalled(plan, network.name);
      await save();
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

  function setState(state: NetworkState): void {
    if (isDeepStrictEqual(states.value.get(state.network.name), state)) return;
    states.set(new Map([...states.value, [state.network.name, state]]));
  }

  function forgetStates(): void {
    const names = new Set(plan.networks.map(({ name }) => name));
    const kept = [...states.value].filter(([name]) => names.has(name));
    if (kept.length < states.value.size) states.set(new Map(kept));
  }

  async function save(): Promise<void> {
    if (saved === plan) return;
    const now = plan;
    await writePlan(path, now);
    saved = now;
  }

  function clusterOf(network: string): Cluster {
    const peers = plan.leases.filter((lease) => lease.network === network && lease.agentId !== agentId);
    return {
      peers,
      ranges: plan.networks.map(({ cidr }) => cidr),
      agents: [...new Set([agentAddress, ...plan.leases.map((lease) => lease.agentAddress)])].toSorted(),
    };
  }

  function backendOf(network: Network): NetworkBackend | undefined {
    return backends.find(({ name }) => name === network.backend);
  }

  return {
    states,
    clusterOf,
    backendOf,
    networks: () => [...plan.networks, ...obsolete(plan)],
    update(networks, leases) {
      plan = { ...plan, networks, leases };
      loop.wake();
    },
    async start() {
      const read = await readPlan(path);
      plan = plan === emptyPlan ? read : { ...plan, installed: read.installed };
      await loop.start();
    },
    stop: () => loop.stop(),
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
