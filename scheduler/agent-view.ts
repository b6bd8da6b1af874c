import type { Agent } from '../core/model/agent.ts';
import { type App, containerNetwork } from '../core/model/app.ts';
import type { AgentId } from '../core/model/ids.ts';
import type { Network } from '../core/model/network.ts';
import type { Placement } from '../core/model/placement.ts';
import type { PortRange, Resources } from '../core/model/resources.ts';
import { versionKey } from '../core/state/tables.ts';
import { isOver } from './view.ts';
import type { World } from './world.ts';

/** Of an agent's share of a network: the network itself, its broadcast, and the agent's own end. */
const notForInstances = 3;

export type ViewOptions = { readonly sizes?: ReadonlyMap<string, number>; readonly packs?: boolean };

/** An agent with what is left of it: its resources less what its placements hold until they are reported ended. */
export class AgentView {
  readonly agent: Agent;
  readonly takenPorts = new Set<number>();
  /** By network. */
  readonly usedAddresses = new Map<string, number>();
  /** Host ports of the agent's ranges that nobody holds. */
  freePorts: number;
  /** Its own: counted down. */
  readonly #free: { -readonly [K in keyof Resources]: Resources[K] };
  /** Undefined: to be worked out. */
  #share: number | undefined;
  readonly #sizes: ReadonlyMap<string, number>;
  readonly #packs: boolean;

  /** `sizes`: addresses that instances of an agent can have, by network; one that is not named has enough. */
  constructor(agent: Agent, { sizes = new Map(), packs = false }: ViewOptions = {}) {
    this.agent = agent;
    this.#sizes = sizes;
    this.#packs = packs;
    const { cpus, mem, disk, gpus } = agent.resources;
    this.#free = { cpus, mem, disk, gpus };
    this.freePorts = countPorts(agent.ports);
  }

  get free(): Resources {
    return this.#free;
  }

  addressesOf(network: string): number {
    return this.#sizes.get(network) ?? Number.POSITIVE_INFINITY;
  }

  /** Free share of the cpus plus free share of the memory, 0..2. */
  get share(): number {
    const { cpus, mem } = this.agent.resources;
    this.#share ??= this.#free.cpus / Math.max(cpus, 0.001) + this.#free.mem / Math.max(mem, 1);
    return this.#share;
  }

  /** The agent with the most comes first. */
  get rank(): number {
    return this.#packs ? -this.share : this.share;
  }

  occupy(app: App, { hostPorts }: Pick<Placement, 'hostPorts'>): void {
    this.#free.cpus -= app.cpus;
    this.#free.mem -= app.mem;
    this.#free.disk -= app.disk;
    this.#free.gpus -= app.gpus;
    this.#share = undefined;
    for (const port of hostPorts) if (port !== null) this.#take(port);
    for (const network of app.networks) {
      const name = containerNetwork(network);
      if (name !== undefined) this.usedAddresses.set(name, (this.usedAddresses.get(name) ?? 0) + 1);
    }
  }

  /** Whether a port is one of those that are drawn. */
  offers(port: number): boolean {
    return this.agent.ports.some((range) => port >= range.begin && port <= range.end);
  }

  #take(port: number): void {
    if (this.takenPorts.has(port)) return;
    this.takenPorts.add(port);
    if (this.offers(port)) this.freePorts -= 1;
  }
}

export type Known = {
  /** Of `sizesOf`. */
  readonly sizes?: ReadonlyMap<string, number>;
  /** As `isOver` of the tables says, of placements on this agent; absent: it is asked. */
  readonly hasEnded?: (placement: Placement) => boolean;
};

/** Undefined for an agent that is not in the tables. `known`: what whoever asks for many agents need not have looked up anew. */
export function viewOf(
  id: AgentId,
  world: World,
  { sizes = sizesOf(world), hasEnded = (placement) => isOver(placement, world) }: Known = {},
): AgentView | undefined {
  const agent = world.snapshot.table('agents').get(id);
  if (agent === undefined) return undefined;
  const packs = world.limits.placement.ranking === 'pack';
  const view = new AgentView(agent, { sizes, packs });
  const versions = world.snapshot.table('versions');
  for (const placement of world.snapshot.placementsOn(id)) {
    if (hasEnded(placement)) continue;
    const app = versions.get(versionKey(placement.appId, placement.appVersion));
    if (app !== undefined) view.occupy(app, placement);
  }
  return view;
}

/** Addresses that instances of an agent can have, by network. */
export function sizesOf({ snapshot }: World): ReadonlyMap<string, number> {
  return new Map(
    [...snapshot.table('networks').values()].map((network) => [network.name, addressesIn(network)]),
  );
}

/** How many instances of an agent can have an address of a network. */
function addressesIn({ agentPrefix }: Network): number {
  return Math.max(0, 2 ** (32 - agentPrefix) - notForInstances);
}

/** Ports that several ranges name count once. */
function countPorts(ranges: readonly PortRange[]): number {
  let [count, next] = [0, 0];
  for (const { begin, end } of ranges.toSorted((a, b) => a.begin - b.begin)) {
    count += Math.max(0, end - Math.max(begin, next) + 1);
    next = Math.max(next, end + 1);
  }
  return count;
}
