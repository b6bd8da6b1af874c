import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Resources } from '../core/model/resources.ts';
import { versionKey } from '../core/state/tables.ts';
import { isUsable } from './reach.ts';
import { isOver } from './view.ts';
import type { World } from './world.ts';

/** An agent with what is left of it. Changed in place while one round places several instances. */
export type AgentView = {
  readonly agent: Agent;
  free: Resources;
  readonly takenPorts: Set<number>;
};

/** Agents that may take instances, less what their placements hold until they are reported ended. */
export function agentViews(world: World): readonly AgentView[] {
  const agents = [...world.snapshot.table('agents').values()];
  return agents.filter((agent) => isUsable(world, agent.id)).map((agent) => viewOf(agent, world));
}

function viewOf(agent: Agent, world: World): AgentView {
  const view: AgentView = { agent, free: agent.resources, takenPorts: new Set() };
  for (const placement of world.snapshot.placementsOn(agent.id)) {
    if (isOver(placement, world)) continue;
    const app = world.snapshot.table('versions').get(versionKey(placement.appId, placement.appVersion));
    if (app !== undefined) occupy(view, app, placement);
  }
  return view;
}

export function occupy(view: AgentView, app: App, placement: Pick<Placement, 'hostPorts'>): void {
  view.free = {
    cpus: view.free.cpus - app.cpus,
    mem: view.free.mem - app.mem,
    disk: view.free.disk - app.disk,
    gpus: view.free.gpus - app.gpus,
  };
  for (const port of placement.hostPorts) if (port !== null) view.takenPorts.add(port);
}
