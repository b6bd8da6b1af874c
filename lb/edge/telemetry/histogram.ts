/** Upper bounds in ms, the last bucket has none. */
export const latencyBounds = [
  1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

export type LatencyCounts = {
  /** How many were within each bound and beyond the one before; one more than there are bounds. */
  readonly buckets: readonly number[];
  readonly sumMs: number;
};

/** The bucket that counts what took so long. */
export function bucketOf(ms: number): number {
  let at = 0;
  while (at < latencyBounds.length && ms > latencyBounds[at]!) at++;
  return at;
}
