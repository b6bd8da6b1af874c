import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { AgentId } from '../core/model/ids.ts';
import { type AgentView, occupy } from './agent-view.ts';
import { unmet } from './filters/constraints.ts';
import { type DrawnPorts, drawPorts } from './filters/ports.ts';
import { type ResourceReason, shortage } from './filters/resources.ts';

/** In the order of Marathon's reject funnel (§8.1); an agent is counted at the first reason it has. */
export type RefusalReason =
  | 'UnfulfilledRole'
  | 'UnfulfilledConstraint'
  | ResourceReason
  | 'InsufficientPorts';

export type Refusal = { readonly agentId: AgentId; readonly reason: RefusalReason; readonly detail: string };

export type PlaceRequest = {
  readonly app: App;
  /** Agents of the instances that count for constraints, one entry each; grows as a round places more. */
  readonly peers: readonly Agent[];
};

export type PlaceResult =
  | { readonly kind: 'placed'; readonly agent: Agent; readonly ports: DrawnPorts }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal[] };

/** Roles an agent's resources have. */
const agentRole = '*';

/**
 * Finds an agent for one instance: filters leave those that can take it, the rank picks the one with the fewest
 * instances of the app and then the most free. The view of the chosen agent is reduced, so that a round may go on.
 */
export function place(request: PlaceRequest, views: readonly AgentView[], random: () => number): PlaceResult {
  const refusals: Refusal[] = [];
  const candidates: { view: AgentView; ports: DrawnPorts }[] = [];
  for (const view of views) {
    const outcome = consider(request, view, random);
    if ('reason' in outcome) refusals.push(outcome);
    else candidates.push({ view, ports: outcome });
  }
  const best = candidates.sort((a, b) => compare(a.view, b.view, request))[0];
  if (best === undefined) return { kind: 'refused', refusals };
  occupy(best.view, request.app, best.ports);
  return { kind: 'placed', agent: best.view.agent, ports: best.ports };
}

function consider({ app, peers }: PlaceRequest, view: AgentView, random: () => number): Refusal | DrawnPorts {
  const agentId = view.agent.id;
  const roles = app.acceptedResourceRoles;
  if (roles !== undefined && !roles.includes(agentRole)) {
    return {
      agentId,
      reason: 'UnfulfilledRole',
      detail: `accepts roles ${roles.join(', ')}, ${view.agent.hostname} has ${agentRole}`,
    };
  }
  for (const constraint of app.constraints) {
    const detail = unmet(constraint, view.agent, { peers, target: app.instances });
    if (detail !== undefined) return { agentId, reason: 'UnfulfilledConstraint', detail };
  }
  const short = shortage(app, view);
  if (short !== undefined) return { agentId, ...short };
  const ports = drawPorts(app, view, random);
  return typeof ports === 'string' ? { agentId, reason: 'InsufficientPorts', detail: ports } : ports;
}

/** Spread: fewest instances of the app first, then the larger share of free memory and cpus, then the id so that equal snapshots give equal decisions. */
function compare(a: AgentView, b: AgentView, request: PlaceRequest): number {
  const mine = (view: AgentView) => request.peers.filter((peer) => peer.id === view.agent.id).length;
  return mine(a) - mine(b) || freeShare(b) - freeShare(a) || (a.agent.id < b.agent.id ? -1 : 1);
}

function freeShare(view: AgentView): number {
  const { cpus, mem } = view.agent.resources;
  return view.free.cpus / Math.max(cpus, 0.001) + view.free.mem / Math.max(mem, 1);
}
