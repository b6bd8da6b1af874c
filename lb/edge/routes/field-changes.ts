import type { FieldEdits } from '../../../core/model/route.ts';

/** Edits of a head's fields, made ready: names (lower case) whose lines are left out, and lines to be added. */
export type FieldChanges = { readonly drop: ReadonlySet<string>; readonly lines: string };

export function fieldChanges({ remove = [], set = {}, add = {} }: FieldEdits): FieldChanges {
  const drop = [...remove, ...Object.keys(set)].map((name) => name.toLowerCase());
  const lines = [...Object.entries(set), ...Object.entries(add)].map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return { drop: new Set(drop), lines: lines.join('') };
}

/** First the one, then the other. */
export function bothChanges(
  one: FieldChanges | undefined,
  other: FieldChanges | undefined,
): FieldChanges | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return { drop: one.drop.union(other.drop), lines: one.lines + other.lines };
}
