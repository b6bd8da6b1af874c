import type { Agent } from '../../core/model/agent.ts';
import type { Constraint } from '../../core/model/constraint.ts';

export type ConstraintContext = {
  /** Agents of this app's instances of the same configuration, one entry per instance (Marathon §13 "P"). */
  readonly peers: readonly Agent[];
  /** Instances wanted. */
  readonly target: number;
};

/** Why an agent does not meet a constraint, or undefined when it does. */
export function unmet(constraint: Constraint, agent: Agent, context: ConstraintContext): string | undefined {
  const value = fieldOf(agent, constraint.field);
  const said = [constraint.field, constraint.operator, constraint.value]
    .filter((part) => part !== undefined)
    .join(':');
  if (value === undefined) {
    return constraint.operator === 'UNLIKE'
      ? undefined
      : `${said}: ${agent.hostname} has no attribute ${constraint.field}`;
  }
  const peers = context.peers.map((peer) => fieldOf(peer, constraint.field));
  return accepts(constraint, value, peers, context.target)
    ? undefined
    : `${said}: ${agent.hostname} has ${constraint.field}=${value}`;
}

/** The value of a constraint's field on an agent: its host name, fault domain, or attribute. */
export function fieldOf(agent: Agent, field: string): string | undefined {
  if (field === 'hostname' || field === '@hostname') return agent.hostname;
  return agent.attributes[field.startsWith('@') ? field.slice(1) : field];
}

function accepts(
  constraint: Constraint,
  value: string,
  peers: readonly (string | undefined)[],
  target: number,
): boolean {
  const wanted = constraint.value;
  switch (constraint.operator) {
    case 'UNIQUE':
      return !peers.includes(value);
    case 'CLUSTER':
      return (wanted === undefined || wanted === value) && peers.every((peer) => peer === value);
    case 'LIKE':
      return matches(wanted ?? '', value);
    case 'UNLIKE':
      return !matches(wanted ?? '', value);
    case 'MAX_PER':
      return peers.filter((peer) => peer === value).length < Number(wanted);
    case 'IS':
      return sameText(value, wanted ?? '');
    case 'GROUP_BY':
      return balanced(value, peers, wanted === undefined ? undefined : Number(wanted), target);
  }
}

/** The whole value must match, as in Java's `matches` (Marathon §13). */
function matches(pattern: string, value: string): boolean {
  const whole = compiled(pattern);
  return whole?.test(value) ?? false;
}

/** Faulty patterns are refused at the door; one that got past it must not stop the scheduler, so it matches nothing. */
function compiled(pattern: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch {
    return undefined;
  }
}

function sameText(a: string, b: string): boolean {
  if (a === b) return true;
  return a !== '' && b !== '' && Math.abs(Number(a) - Number(b)) < 0.0005;
}

/** Marathon §13.1: the 1.5 rule; with a count, no group above its equal share either. */
function balanced(
  value: string,
  peers: readonly (string | undefined)[],
  groups: number | undefined,
  target: number,
): boolean {
  const sizes = [...Map.groupBy(peers, (peer) => peer)].map(([peer, members]) => ({
    peer,
    size: members.length,
  }));
  const mine = sizes.find((group) => group.peer === value)?.size ?? 0;
  if (groups !== undefined && mine >= Math.ceil(target / Math.max(1, groups))) return false;
  if (mine === 0) return true;
  return sizes.length >= Math.max(1, groups ?? 1) && mine === Math.min(...sizes.map((group) => group.size));
}
