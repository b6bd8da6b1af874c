import { wholeMatcher } from '../../core/kit/pattern.ts';
import type { Agent } from '../../core/model/agent.ts';
import type { Constraint } from '../../core/model/constraint.ts';

/** The value of a field on an agent; undefined: it has none. */
export type FieldReader = (agent: Agent) => string | undefined;

/** A constraint with what it has to know of the instances placed so far. */
export type Rule = {
  readonly constraint: Constraint;
  /** `rack:GROUP_BY:3` */
  readonly text: string;
  readonly read: FieldReader;
  /** Looks at nothing but the agent. */
  readonly isFixed: boolean;
  /** What it refuses now it may accept after one more instance is placed. */
  readonly reopens: boolean;
  /** Whether an agent with this value may take the next instance (Marathon §13). */
  accepts(value: string | undefined): boolean;
  /** One more instance of the app is on an agent with this value. */
  add(value: string | undefined): void;
};

/** Reads a constraint's field: the host name, fault domain, or attribute. */
export function fieldReader(field: string): FieldReader {
  if (field === 'hostname' || field === '@hostname') return ({ hostname }) => hostname;
  const attribute = field.startsWith('@') ? field.slice(1) : field;
  return ({ attributes }) => attributes[attribute];
}

/** `target`: instances wanted. */
export function ruleOf(constraint: Constraint, peers: readonly Agent[], target: number): Rule {
  const { field, operator, value } = constraint;
  const read = fieldReader(field);
  const judge = judgeOf(constraint, target);
  for (const peer of peers) judge.add?.(read(peer));
  return {
    constraint,
    text: [field, operator, value].filter((part) => part !== undefined).join(':'),
    read,
    isFixed: judge.add === undefined,
    reopens: operator === 'GROUP_BY',
    accepts: (value) => (value === undefined ? operator === 'UNLIKE' : judge.accepts(value)),
    add: (value) => judge.add?.(value),
  };
}

type Judge = {
  readonly accepts: (value: string) => boolean;
  readonly add?: (value: string | undefined) => void;
};

function judgeOf({ operator, value: wanted }: Constraint, target: number): Judge {
  switch (operator) {
    case 'UNIQUE':
      return fewerThan(1);
    case 'MAX_PER':
      return fewerThan(Number(wanted));
    case 'CLUSTER':
      return together(wanted);
    case 'LIKE':
      return remembered(matcher(wanted ?? ''));
    case 'UNLIKE': {
      const matches = matcher(wanted ?? '');
      return remembered((value) => !matches(value));
    }
    case 'IS':
      return { accepts: (value) => sameText(value, wanted ?? '') };
    case 'GROUP_BY':
      return balanced(wanted === undefined ? undefined : Number(wanted), target);
  }
}

function fewerThan(most: number): Judge {
  const counts = new Map<string | undefined, number>();
  return {
    accepts: (value) => (counts.get(value) ?? 0) < most,
    add: (value) => counts.set(value, (counts.get(value) ?? 0) + 1),
  };
}

function together(wanted: string | undefined): Judge {
  const seen = new Set<string | undefined>();
  return {
    accepts: (value) =>
      (wanted === undefined || wanted === value) && (seen.size === 0 || (seen.size === 1 && seen.has(value))),
    add: (value) => seen.add(value),
  };
}

/** The 1.5 rule (Marathon §13.1); with a number of groups, none above its equal share either. */
function balanced(groups: number | undefined, target: number): Judge {
  const sizes = new Map<string | undefined, number>();
  /** How many groups have a size. */
  const bySize = new Map<number, number>();
  let least = 0;
  const enough = Math.max(1, groups ?? 1);
  const most = groups === undefined ? Number.POSITIVE_INFINITY : Math.ceil(target / enough);
  return {
    accepts: (value) => {
      const mine = sizes.get(value) ?? 0;
      if (mine >= most) return false;
      return mine === 0 || (sizes.size >= enough && mine === least);
    },
    add: (value) => {
      const mine = sizes.get(value) ?? 0;
      sizes.set(value, mine + 1);
      bySize.set(mine + 1, (bySize.get(mine + 1) ?? 0) + 1);
      if (mine === 0) least = 1;
      else bySize.set(mine, bySize.get(mine)! - 1);
      if (mine > 0 && mine === least && bySize.get(mine) === 0) least = mine + 1;
    },
  };
}

function remembered(accepts: (value: string) => boolean): Judge {
  const answers = new Map<string, boolean>();
  return {
    accepts: (value) => {
      const known = answers.get(value);
      if (known !== undefined) return known;
      const answer = accepts(value);
      answers.set(value, answer);
      return answer;
    },
  };
}

/** The whole value must match (Marathon §13). Faulty patterns are refused at the door; one that got past it matches nothing. */
function matcher(pattern: string): (value: string) => boolean {
  return wholeMatcher(pattern) ?? (() => false);
}

function sameText(a: string, b: string): boolean {
  if (a === b) return true;
  return isNumber(a) && isNumber(b) && Math.abs(Number(a) - Number(b)) < 0.0005;
}

function isNumber(text: string): boolean {
  return /^[+-]?\d+(\.\d+)?$/.test(text);
}
