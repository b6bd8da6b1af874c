import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { AgentId } from '../core/model/ids.ts';
import type { Snapshot } from '../core/state/snapshot.ts';
import type { AgentView } from './agent-view.ts';
import { unmetRule } from './filters/constraints.ts';
import { type DrawnPorts, drawPorts, portShortage } from './filters/ports.ts';
import { type ResourceReason, shortage } from './filters/resources.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Search } from './fleet/search.ts';
import { isDraining } from './reach.ts';

/** In the order of Marathon's reject funnel (§8.1); an agent is counted at the first reason it has. */
export type RefusalReason =
  | 'UnfulfilledRole'
  | 'UnfulfilledConstraint'
  | 'AgentMaintenance'
  | ResourceReason
  | 'InsufficientPorts';

export type Refusal = { readonly agentId: AgentId; readonly reason: RefusalReason; readonly detail: string };

export type Placed = { readonly agent: Agent; readonly ports: DrawnPorts };

/** Roles an agent's resources have. */
const agentRole = '*';

/** Takes the best agent for one more instance; undefined: none can take it, and `explanation` says why. */
export function place(search: Search, app: App, { fleet, random }: PlaceMeans): Placed | undefined {
  if (refusedRole(app) !== undefined) return undefined;
  const view = search.find();
  if (view === undefined) return undefined;
  const ports = drawPorts(search.ports, view, random);
  fleet.occupy(view, app, ports);
  search.add(view);
  return { agent: view.agent, ports };
}

export type PlaceMeans = { readonly fleet: Fleet; readonly random: () => number };

export type FleetAndTables = { readonly fleet: Fleet; readonly snapshot: Snapshot };

/**
 * Why no agent can take one more instance, each agent's reason, in the order of the tables. Worked out when somebody asks,
 * from the fleet as it is then: in a full cluster nobody wants ten thousand sentences each round.
 */
export function explanation(
  search: Search,
  app: App,
  { fleet, snapshot }: FleetAndTables,
): () => readonly Refusal[] {
  let known: { readonly moment: string; readonly refusals: readonly Refusal[] } | undefined;
  return () => {
    const moment = `${snapshot.revision} ${fleet.changes}`;
    if (known?.moment === moment) return known.refusals;
    const refusals = [...snapshot.table('agents').values()].flatMap((agent): readonly Refusal[] => {
      const view = fleet.view(agent.id);
      if (view !== undefined) return [refusal(search, app, view) ?? []].flat();
      return isDraining({ snapshot }, agent.id) ? [drained(agent)] : [];
    });
    known = { moment, refusals };
    return refusals;
  };
}

function drained({ id, hostname }: Agent): Refusal {
  return { agentId: id, reason: 'AgentMaintenance', detail: `${hostname} is being drained` };
}

function refusal(search: Search, app: App, view: AgentView): Refusal | undefined {
  const agentId = view.agent.id;
  const roles = refusedRole(app);
  if (roles !== undefined)
    return {
      agentId,
      reason: 'UnfulfilledRole',
      detail: `accepts roles ${roles.join(', ')}, ${view.agent.hostname} has ${agentRole}`,
    };
  for (const rule of search.rules) {
    const detail = unmetRule(rule, view.agent);
    if (detail !== undefined) return { agentId, reason: 'UnfulfilledConstraint', detail };
  }
  const short = shortage(app, view);
  if (short !== undefined) return { agentId, ...short };
  const ports = portShortage(search.ports, view);
  return ports === undefined ? undefined : { agentId, reason: 'InsufficientPorts', detail: ports };
}

/** The roles an app insists on when no agent has one of them. */
function refusedRole({ acceptedResourceRoles: roles }: App): readonly string[] | undefined {
  return roles === undefined || roles.includes(agentRole) ? undefined : roles;
}
