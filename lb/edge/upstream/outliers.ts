/** An endpoint as the watch for outliers sees it. */
export interface Suspect {
  /** Answers 5xx and losses without a sound answer between them. */
  faultStreak: number;
  ejectedUntil: number;
  eject(ms: number): void;
}

const streak = 5;
const ejectionMs = 10_000;
/** Of a pool; beyond it the fault is more likely in what all endpoints share, and ejecting more would only move the load. */
const mostEjectedShare = 0.5;

/** Takes note of how an endpoint did, and ejects it from its pool for 10 s after five faults in a row (5xx, no answer). */
export function observe(
  pool: { readonly upstreams: readonly Suspect[] },
  suspect: Suspect,
  outcome: { readonly fault: boolean; readonly now: number },
): void {
  if (!outcome.fault) {
    suspect.faultStreak = 0;
    return;
  }
  suspect.faultStreak++;
  if (suspect.faultStreak < streak || suspect.ejectedUntil > outcome.now) return;
  const ejected = pool.upstreams.filter(({ ejectedUntil }) => ejectedUntil > outcome.now).length;
  if (ejected + 1 > pool.upstreams.length * mostEjectedShare) return;
  suspect.faultStreak = 0;
  suspect.eject(ejectionMs);
}
