import type { Agent } from '../../core/model/agent.ts';
import type { Constraint } from '../../core/model/constraint.ts';
import { fieldReader, type Rule, ruleOf } from './rules.ts';

export type ConstraintContext = {
  /** Agents of this app's instances of the same configuration, one entry per instance (Marathon §13 "P"). */
  readonly peers: readonly Agent[];
  /** Instances wanted. */
  readonly target: number;
};

/** Why an agent does not meet a constraint, or undefined when it does. */
export function unmet(constraint: Constraint, agent: Agent, context: ConstraintContext): string | undefined {
  return unmetRule(ruleOf(constraint, context.peers, context.target), agent);
}

export function unmetRule(rule: Rule, agent: Agent): string | undefined {
  const value = rule.read(agent);
  if (rule.accepts(value)) return undefined;
  const { field } = rule.constraint;
  return value === undefined
    ? `${rule.text}: ${agent.hostname} has no attribute ${field}`
    : `${rule.text}: ${agent.hostname} has ${field}=${value}`;
}

/** The value of a constraint's field on an agent: its host name, fault domain, or attribute. */
export function fieldOf(agent: Agent, field: string): string | undefined {
  return fieldReader(field)(agent);
}
