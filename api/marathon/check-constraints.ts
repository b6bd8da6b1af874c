import { wholeMatcher } from '../../core/kit/pattern.ts';
import type { Faults } from './schema.ts';

const operators = ['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'MAX_PER', 'UNLIKE', 'IS'];

/** Marathon §13. */
export function checkConstraints(
  constraints: readonly (readonly string[])[],
  faults: Faults,
  at = '/constraints',
): void {
  const seen = new Set<string>();
  for (const [index, constraint] of constraints.entries()) {
    const path = `${at}(${index})`;
    for (const error of faultsOf(constraint)) faults.add(path, error);
    const text = JSON.stringify(constraint);
    if (seen.has(text)) faults.add(at, 'must not contain duplicates');
    seen.add(text);
  }
}

function faultsOf(constraint: readonly string[]): readonly string[] {
  if (constraint.length < 2 || constraint.length > 3)
    return ['Each constraint must have either 2 or 3 fields'];
  const [field = '', operator = '', value] = constraint;
  if (field === '') return ['missing field for constraint declaration'];
  switch (operator.toUpperCase()) {
    case 'UNIQUE':
      return value === undefined ? [] : ['UNIQUE does not accept a value'];
    case 'CLUSTER':
      return [];
    case 'GROUP_BY':
      return value === undefined || /^\d+$/.test(value)
        ? []
        : ['GROUP BY must define an integer value or else no value at all'];
    case 'MAX_PER':
      return value !== undefined && /^\d+$/.test(value) ? [] : ['MAX_PER requires an integer value'];
    case 'LIKE':
    case 'UNLIKE':
      return regexFaults(value);
    case 'IS':
      return value !== undefined && /^[a-zA-Z0-9_/.-]*$/.test(value)
        ? []
        : ['IS requires a value of letters, digits, _ / . and -'];
    default:
      return [`operator must be one of the following ${operators.slice(0, -1).join(', ')} or IS`];
  }
}

function regexFaults(value: string | undefined): readonly string[] {
  if (!value) return ['LIKE and UNLIKE require a non-empty, regular expression value'];
  return wholeMatcher(value) === undefined ? [`'${value}' is not a valid regular expression`] : [];
}
