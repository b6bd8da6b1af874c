import type { App } from '../../core/model/app.ts';
import type { AgentId } from '../../core/model/ids.ts';
import type { Placement } from '../../core/model/placement.ts';
import type { AgentView } from '../agent-view.ts';
import { fieldReader } from '../filters/rules.ts';
import { Field } from './field.ts';
import { Order } from './order.ts';

/**
 * The agents that may take instances, ordered so that the best one is found without looking at all of them: one order of
 * the whole fleet, and one per value of every field that a constraint has asked for.
 */
export class Fleet {
  readonly #views = new Map<AgentId, AgentView>();
  readonly #all = new Order();
  readonly #fields = new Map<string, Field>();
  #changes = 0;

  /** Grows with every change. */
  get changes(): number {
    return this.#changes;
  }

  get all(): Order {
    return this.#all;
  }

  view(id: AgentId): AgentView | undefined {
    return this.#views.get(id);
  }

  /** Built when a constraint first names it, kept in order from then on. */
  field(name: string): Field {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const field = new Field(fieldReader(name));
    for (const view of this.#views.values()) field.add(view);
    this.#fields.set(name, field);
    return field;
  }

  /** Adds an agent, or replaces what is known of it. */
  set(view: AgentView): void {
    this.drop(view.agent.id);
    this.#changes += 1;
    this.#views.set(view.agent.id, view);
    this.#all.add(view);
    for (const field of this.#fields.values()) field.add(view);
  }

  drop(id: AgentId): void {
    const view = this.#views.get(id);
    if (view === undefined) return;
    this.#changes += 1;
    this.#views.delete(id);
    this.#all.remove(view);
    for (const field of this.#fields.values()) field.remove(view);
  }

  occupy(view: AgentView, app: App, ports: Pick<Placement, 'hostPorts'>): void {
    this.#changes += 1;
    const orders = [this.#all, ...[...this.#fields.values()].map((field) => field.groupOf(view))];
    for (const order of orders) order.remove(view);
    view.occupy(app, ports);
    for (const order of orders) order.add(view);
  }
}
