import type { VipTarget } from '../../table.ts';

/** All backends, each once, beginning at a random one: the order in which a new connection tries them. */
export function tryOrder(backends: readonly VipTarget[], random: () => number): readonly VipTarget[] {
  const start = Math.floor(random() * backends.length);
  return [...backends.slice(start), ...backends.slice(0, start)];
}
