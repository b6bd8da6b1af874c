import type { Member } from './view.ts';

/**
 * Which instances may leave an agent that is to become empty: of those that serve as many as are not needed to have
 * `target` that serve, of those that do not as many as are not needed to have `target` at all.
 */
export function spareToMove(
  staying: readonly Member[],
  leaving: readonly Member[],
  target: number,
): readonly Member[] {
  const serving = leaving.filter(({ ready }) => ready);
  const idle = leaving.filter(({ ready }) => !ready);
  const spareServing = staying.filter(({ ready }) => ready).length + serving.length - target;
  const spare = staying.length + leaving.length - target;
  return [...idle.slice(0, Math.max(0, spare)), ...serving.slice(0, Math.max(0, spareServing))];
}
