type Weighed = { readonly endpoint: { readonly weight?: number; readonly backup?: true } };

/**
 * Those that get requests, each as often as it has shares: a balancer that gives all the same gives them what they weigh. Backups are
 * left out while there are others. In turns, so that nobody gets its shares one right after the other.
 */
export function byWeight<U extends Weighed>(upstreams: readonly U[]): readonly U[] {
  if (upstreams.every(({ endpoint }) => endpoint.weight === undefined && !endpoint.backup)) return upstreams;
  const first = upstreams.filter(({ endpoint }) => !endpoint.backup);
  const used = (first.length === 0 ? upstreams : first).filter(({ endpoint }) => endpoint.weight !== 0);
  const weights = used.map(({ endpoint }) => endpoint.weight ?? 1);
  const divisor = weights.reduce(commonDivisor, 0);
  return inTurns(
    used,
    weights.map((weight) => weight / divisor),
  );
}

function inTurns<U>(used: readonly U[], shares: readonly number[]): readonly U[] {
  const total = shares.reduce((sum, share) => sum + share, 0);
  const owed = shares.map(() => 0);
  return Array.from({ length: total }, () => {
    for (const [n, share] of shares.entries()) owed[n] = (owed[n] ?? 0) + share;
    const next = owed.indexOf(Math.max(...owed));
    owed[next] = (owed[next] ?? 0) - total;
    return used[next]!;
  });
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
