import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { AgentId } from '../core/model/ids.ts';
import { type AgentView, viewOf } from './agent-view.ts';
import { addressShortage } from './filters/addresses.ts';
import { unmetRule } from './filters/constraints.ts';
import { type DrawnPorts, drawPorts, portShortage } from './filters/ports.ts';
import { type ResourceReason, shortage } from './filters/resources.ts';
import type { Fleet } from './fleet/fleet.ts';
import type { Search } from './fleet/search.ts';
import { type Candidate, type NearestMiss, nearestMiss, type PortHolder } from './nearest.ts';
import { withheld } from './placement-rules.ts';
import { isDraining } from './reach.ts';
import type { World } from './world.ts';

/** In the order of Marathon's reject funnel (§8.1); an agent is counted at the first reason it has. */
export type RefusalReason =
  | 'UnfulfilledRole'
  | 'UnfulfilledConstraint'
  | 'AgentMaintenance'
  | ResourceReason
  | 'InsufficientPorts'
  | 'DeclinedScarceResources';

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

export type FleetAndWorld = { readonly fleet: Fleet; readonly world: World };

export type Explanation = {
  /** Each agent's reason, in the order of the tables. */
  readonly refusals: readonly Refusal[];
  /** Undefined when there is no agent, or none has the role. */
  readonly nearest: NearestMiss | undefined;
};

/**
 * Why no agent can take one more instance. Worked out when somebody asks, from the fleet as it is then: in a full cluster
 * nobody wants ten thousand sentences each round.
 */
export function explanation(search: Search, app: App, { fleet, world }: FleetAndWorld): () => Explanation {
  let known: (Explanation & { readonly moment: string }) | undefined;
  return () => {
    const moment = `${world.snapshot.revision} ${fleet.changes}`;
    if (known?.moment !== moment) known = { moment, ...explain(search, app, { fleet, world }) };
    return known;
  };
}

function explain(search: Search, app: App, { fleet, world }: FleetAndWorld): Explanation {
  const { snapshot } = world;
  const agents = [...snapshot.table('agents').values()];
  const refusals = agents.flatMap((agent): readonly Refusal[] => {
    const view = fleet.view(agent.id);
    if (view !== undefined) return [refusal(search, app, view) ?? []].flat();
    return isDraining(world, agent.id) ? [drained(agent)] : [];
  });
  if (refusedRole(app) !== undefined) return { refusals, nearest: undefined };
  const candidates = agents.flatMap(({ id }): readonly Candidate[] => {
    const isDrained = isDraining(world, id);
    const view = isDrained ? viewOf(id, world) : fleet.view(id);
    return view === undefined ? [] : [{ view, isDrained }];
  });
  const holder: PortHolder = ({ id }, port) =>
    snapshot.placementsOn(id).find(({ hostPorts }) => hostPorts.includes(port))?.appId;
  return {
    refusals,
    nearest: nearestMiss(
      { app, rules: search.rules, ports: search.ports, placement: search.placement },
      candidates,
      holder,
    ),
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
  const kept = withheld(app, search.placement, view.agent);
  if (kept?.reason === 'UnfulfilledConstraint') return { agentId, ...kept };
  for (const rule of search.rules) {
    const detail = unmetRule(rule, view.agent);
    if (detail !== undefined) return { agentId, reason: 'UnfulfilledConstraint', detail };
  }
  const short = shortage(app, view);
  if (short !== undefined) return { agentId, ...short };
  const ports = portShortage(search.ports, view) ?? addressShortage(app, view);
  if (ports !== undefined) return { agentId, reason: 'InsufficientPorts', detail: ports };
  return kept === undefined ? undefined : { agentId, ...kept };
}

/** The roles an app insists on when no agent has one of them. */
function refusedRole({ acceptedResourceRoles: roles }: App): readonly string[] | undefined {
  return roles === undefined || roles.includes(agentRole) ? undefined : roles;
}
