import type { Chance } from './chance.ts';

/** Where some bytes come apart: mostly not, or in a few places, or everywhere. */
export function cuts(chance: Chance, length: number): readonly number[] {
  const kind = chance.below(8);
  if (kind < 3) return [];
  if (kind === 7 && length < 400) return Array.from({ length }, (_, at) => at);
  const places = Array.from({ length: 1 + chance.below(6) }, () => chance.below(length + 1));
  return places.sort((a, b) => a - b);
}
