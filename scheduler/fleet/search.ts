import type { Agent } from '../../core/model/agent.ts';
import { type App, networkNames } from '../../core/model/app.ts';
import type { AgentId } from '../../core/model/ids.ts';
import type { AgentView } from '../agent-view.ts';
import { addressShortage } from '../filters/addresses.ts';
import { type PortNeed, portNeed, portShortage } from '../filters/ports.ts';
import { fits } from '../filters/resources.ts';
import { type Rule, ruleOf } from '../filters/rules.ts';
import { areAnyWithheld, type PlacementRules, plainRules, withheld } from '../placement-rules.ts';
import type { Field } from './field.ts';
import type { Fleet } from './fleet.ts';
import type { Order } from './order.ts';
import { Walk } from './walk.ts';

export type PlaceRequest = {
  readonly app: App;
  /** Agents of the instances that count for constraints, one entry each. */
  readonly peers: readonly Agent[];
  readonly placement?: PlacementRules;
};

/** A field with more values is not gone through anew for each instance. */
const fewValues = 256;

/**
 * Finds agents for instances of one app, one after the other: of those that can take it the one with the fewest instances
 * of the app (when they are spread), then the first in the order of the fleet. What it finds is what looking at every agent would find.
 */
export class Search {
  readonly rules: readonly Rule[];
  readonly ports: PortNeed;
  readonly #app: App;
  readonly #fleet: Fleet;
  /** Instances of the app per agent. */
  readonly #counts = new Map<AgentId, number>();
  readonly #neverReopens: boolean;
  readonly placement: PlacementRules;
  readonly #withholds: boolean;
  readonly #hasNetworks: boolean;
  /** No agent that could take an instance has fewer. */
  #fewest = 0;

  constructor({ app, peers, placement = plainRules }: PlaceRequest, fleet: Fleet) {
    this.#app = app;
    this.placement = placement;
    this.#withholds = areAnyWithheld(app, placement);
    this.#hasNetworks = networkNames(app).length > 0;
    this.#fleet = fleet;
    this.rules = app.constraints.map((constraint) => ruleOf(constraint, peers, app.instances));
    this.ports = portNeed(app);
    this.#neverReopens = this.rules.every((rule) => !rule.reopens);
    if (placement.ranking === 'spread') for (const peer of peers) this.#count(peer);
  }

  /** The best agent for the next instance; undefined: none can take it. */
  find(): AgentView | undefined {
    const walk = new Walk(this.#candidates());
    let best: AgentView | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (let view = walk.next(); view !== undefined; view = walk.next()) {
      const count = this.#counts.get(view.agent.id) ?? 0;
      // Among agents with equally many the walk meets the best one first.
      if (count >= fewest || !this.#suits(view)) continue;
      best = view;
      fewest = count;
      if (fewest <= this.#fewest) break;
    }
    if (best !== undefined && this.#neverReopens) this.#fewest = fewest;
    return best;
  }

  /** One more instance is on this agent. */
  add({ agent }: AgentView): void {
    if (this.placement.ranking === 'spread') this.#count(agent);
    for (const rule of this.rules) rule.add(rule.read(agent));
  }

  #count({ id }: Agent): void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  #suits(view: AgentView): boolean {
    if (!fits(this.#app, view.free)) return false;
    for (const rule of this.rules) if (!rule.accepts(rule.read(view.agent))) return false;
    if (this.#withholds && withheld(this.#app, this.placement, view.agent) !== undefined) return false;
    if (this.#hasNetworks && addressShortage(this.#app, view) !== undefined) return false;
    return portShortage(this.ports, view) === undefined;
  }

  /** The whole fleet, or the groups that the strictest rule accepts, where that promises the shorter walk. */
  #candidates(): readonly Order[] {
    let chosen: readonly Order[] = [this.#fleet.all];
    let fewest = Number.POSITIVE_INFINITY;
    for (const rule of this.rules) {
      const field = this.#fleet.field(rule.constraint.field);
      if (!isCheapToAsk(rule, field)) continue;
      const groups = field.accepted(rule);
      const agents = groups.reduce((sum, group) => sum + group.size, 0);
      // Of the whole fleet one agent in `size / agents` is accepted; of the groups each has to be looked at once.
      const isShorter = groups.length * agents < this.#fleet.all.size;
      if (agents >= fewest || !(isShorter || agents === 0)) continue;
      chosen = groups;
      fewest = agents;
    }
    return chosen;
  }
}

function isCheapToAsk(rule: Rule, field: Field): boolean {
  return rule.isFixed || field.size <= fewValues;
}
