import type { Places } from './layout.ts';

/** How much of a message is sent: whole records up to `end`, and how many of each section that is. */
export type Cut = {
  readonly end: number;
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
  /** The TC bit. */
  readonly truncated: boolean;
};

/**
 * The most of a message that fits into `room` bytes (RFC 2181 section 9). Optional data goes first and without TC:
 * additional records, then authority records beside an answer, each by whole sets of one name and type. TC is set when
 * needed data is missing: an answer record, or, where there is no answer, a record of the authority section (the SOA
 * of a negative answer, the NS of a referral). Needed data is cut between any two records.
 */
export function cutToFit(places: Places, room: number): Cut {
  const [answers, authorities, additionals] = places.counts;
  const total = answers + authorities + additionals;
  const fitting = countFitting(places.ends, room);
  const needed = answers > 0 ? answers : authorities;
  const truncated = fitting < needed || !places.questionFits;
  const kept = truncated || fitting === total ? fitting : wholeSets(places, fitting, needed);
  return {
    end: kept === 0 ? places.questionEnd : (places.ends[kept - 1] ?? places.questionEnd),
    answers: Math.min(kept, answers),
    authorities: clamp(kept - answers, authorities),
    additionals: clamp(kept - answers - authorities, additionals),
    truncated,
  };
}

function countFitting(ends: readonly number[], room: number): number {
  let count = ends.length;
  while (count > 0 && (ends[count - 1] ?? 0) > room) count -= 1;
  return count;
}

/** Steps back from a cut inside a set to its beginning. */
function wholeSets(places: Places, fitting: number, needed: number): number {
  let kept = fitting;
  while (kept > needed && places.opens[kept] !== true) kept -= 1;
  return kept;
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(value, most));
}
