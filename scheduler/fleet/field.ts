import type { AgentView } from '../agent-view.ts';
import type { FieldReader, Rule } from '../filters/rules.ts';
import { Order } from './order.ts';

/** Answers kept per field; patterns come and go with apps. */
const keptAnswers = 1_000;

/** The fleet by the value of one field (rack, host name), each group in order. Agents without the field are one group too. */
export class Field {
  readonly #read: FieldReader;
  readonly #groups = new Map<string | undefined, Order>();
  /** Groups that a rule which looks at nothing but the value accepts, by the rule's text. */
  readonly #answers = new Map<string, readonly Order[]>();

  constructor(read: FieldReader) {
    this.#read = read;
  }

  /** Number of different values. */
  get size(): number {
    return this.#groups.size;
  }

  add(view: AgentView): void {
    const value = this.#read(view.agent);
    const known = this.#groups.get(value);
    const group = known ?? new Order();
    group.add(view);
    if (known !== undefined) return;
    this.#groups.set(value, group);
    this.#answers.clear();
  }

  remove(view: AgentView): void {
    const value = this.#read(view.agent);
    const group = this.#groups.get(value);
    group?.remove(view);
    if (group?.size !== 0) return;
    this.#groups.delete(value);
    this.#answers.clear();
  }

  /** The group of an agent of the fleet. */
  groupOf(view: AgentView): Order {
    return this.#groups.get(this.#read(view.agent))!;
  }

  accepted(rule: Rule): readonly Order[] {
    if (!rule.isFixed) return this.#ask(rule);
    const known = this.#answers.get(rule.text);
    if (known !== undefined) return known;
    if (this.#answers.size >= keptAnswers) this.#answers.clear();
    const answer = this.#ask(rule);
    this.#answers.set(rule.text, answer);
    return answer;
  }

  #ask(rule: Rule): readonly Order[] {
    const accepted: Order[] = [];
    for (const [value, group] of this.#groups) if (rule.accepts(value)) accepted.push(group);
    return accepted;
  }
}
