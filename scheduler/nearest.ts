import type { Agent } from '../core/model/agent.ts';
import type { App } from '../core/model/app.ts';
import type { AgentId } from '../core/model/ids.ts';
import type { AgentView } from './agent-view.ts';
import { addressShortage } from './filters/addresses.ts';
import { unmetRule } from './filters/constraints.ts';
import { blockingPorts, type PortNeed } from './filters/ports.ts';
import { rounded, shortages } from './filters/resources.ts';
import type { Rule } from './filters/rules.ts';
import { type PlacementRules, withheld } from './placement-rules.ts';

/** The agent that comes closest to taking an instance, and all that it would take. */
export type NearestMiss = {
  readonly agentId: AgentId;
  readonly hostname: string;
  /** Each makes a sentence after "fits on h2 if": "port 8080 were free, held by /shop/web". Never empty. */
  readonly conditions: readonly string[];
};

export type Needs = {
  readonly app: App;
  readonly rules: readonly Rule[];
  readonly ports: PortNeed;
  readonly placement: PlacementRules;
};

export type Candidate = { readonly view: AgentView; readonly isDrained: boolean };

/** The app that holds a port on an agent. */
export type PortHolder = (agent: Agent, port: number) => string | undefined;

/**
 * Of several the agent that breaks the fewest constraints (what is short can become free, but an agent's rack stays), then
 * the one with the fewest conditions, then with the smallest shortage in the sum.
 */
export function nearestMiss(
  needs: Needs,
  candidates: Iterable<Candidate>,
  holder: PortHolder,
): NearestMiss | undefined {
  let nearest: Distance | undefined;
  for (const candidate of candidates) {
    const distance = distanceTo(needs, candidate, holder);
    if (nearest === undefined || isNearer(distance, nearest)) nearest = distance;
  }
  if (nearest === undefined || nearest.conditions.length === 0) return undefined;
  const { id, hostname } = nearest.agent;
  return { agentId: id, hostname, conditions: nearest.conditions };
}

type Distance = {
  readonly agent: Agent;
  readonly conditions: readonly string[];
  /** How many of them are constraints. */
  readonly unmet: number;
  /** Sum over the resources of what is missing, as a share of what is needed. */
  readonly shortage: number;
};

function distanceTo(
  { app, rules, ports, placement }: Needs,
  { view, isDrained }: Candidate,
  holder: PortHolder,
): Distance {
  const missing = shortages(app, view);
  const kept = withheld(app, placement, view.agent);
  const addresses = addressShortage(app, view);
  const refusals = rules.flatMap((rule) => unmetRule(rule, view.agent) ?? []);
  return {
    agent: view.agent,
    unmet: refusals.length,
    shortage: missing.reduce((sum, { resource, short }) => sum + short / app[resource], 0),
    conditions: [
      ...(isDrained ? ['it were not being drained'] : []),
      ...refusals.map((refusal) => `the constraint allowed it (${refusal})`),
      ...missing.map(({ resource, short, unit }) => {
        const all = view.agent.resources[resource];
        return app[resource] > all
          ? `it had ${app[resource]} ${unit} (it has ${all} in all)`
          : `${rounded(short)} more ${unit} were free`;
      }),
      ...portConditions(ports, view, holder),
      ...(kept === undefined ? [] : [`the operator allowed it (${kept.detail})`]),
      ...(addresses === undefined ? [] : [`an address were free (${addresses})`]),
    ],
  };
}

function portConditions(need: PortNeed, view: AgentView, holder: PortHolder): readonly string[] {
  const { taken, missing } = blockingPorts(need, view);
  return [
    ...taken.map((port) => {
      const by = holder(view.agent, port);
      return `port ${port} were free${by === undefined ? '' : `, held by ${by}`}`;
    }),
    ...(missing > 0 ? [`${missing} more of its ports were free`] : []),
  ];
}

function isNearer(a: Distance, b: Distance): boolean {
  const order = a.unmet - b.unmet || a.conditions.length - b.conditions.length || a.shortage - b.shortage;
  return order < 0;
}
