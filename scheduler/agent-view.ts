import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { AgentId } from '../core/model/ids.ts';
import type { Placement } from '../core/model/placement.ts';
import type { PortRange, Resources } from '../core/model/resources.ts';
import { versionKey } from '../core/state/tables.ts';
import { isOver } from './view.ts';
import type { World } from './world.ts';

/** An agent with what is left of it: its resources less what its placements hold until they are reported ended. */
export class AgentView {
  readonly agent: Agent;
  readonly takenPorts = new Set<number>();
  /** Host ports of the agent's ranges that nobody holds. */
  freePorts: number;
  /** Free share of the cpus plus free share of the memory, 0..2. */
  share = 2;
  #free: Resources;

  constructor(agent: Agent) {
    this.agent = agent;
    this.#free = agent.resources;
    this.freePorts = countPorts(agent.ports);
    this.#weigh();
  }

  get free(): Resources {
    return this.#free;
  }

  occupy(app: App, { hostPorts }: Pick<Placement, 'hostPorts'>): void {
    const { cpus, mem, disk, gpus } = this.#free;
    this.#free = { cpus: cpus - app.cpus, mem: mem - app.mem, disk: disk - app.disk, gpus: gpus - app.gpus };
    for (const port of hostPorts) if (port !== null) this.#take(port);
    this.#weigh();
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

  #weigh(): void {
    const { cpus, mem } = this.agent.resources;
    this.share = this.#free.cpus / Math.max(cpus, 0.001) + this.#free.mem / Math.max(mem, 1);
  }
}

/** Undefined for an agent that is not in the tables. */
export function viewOf(id: AgentId, world: World): AgentView | undefined {
  const agent = world.snapshot.table('agents').get(id);
  if (agent === undefined) return undefined;
  const view = new AgentView(agent);
  for (const placement of world.snapshot.placementsOn(id)) {
    if (isOver(placement, world)) continue;
    const app = world.snapshot.table('versions').get(versionKey(placement.appId, placement.appVersion));
    if (app !== undefined) view.occupy(app, placement);
  }
  return view;
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
