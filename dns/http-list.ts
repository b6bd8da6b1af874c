import type { HttpPage } from './http-reply.ts';
import { parts } from './name-map.ts';

/** A stretch of a list: its items are made a part at a time. */
export type Section = {
  /** What stands before and behind its items. */
  readonly open: string;
  readonly close: string;
  /** About how many things are looked at for all of it. */
  readonly size: number;
  /** The JSON of each item of one of the `parts`. */
  readonly items: (part: number) => Iterable<string>;
};

/** Nobody is answered while a page is made: some two milliseconds. */
const lookedAt = 1_000;

/**
 * One page of a list of everything, which would take too long to make and too much memory to keep: `from` is 0, then the `next` of
 * the page before. Items that are there all the time are in the list once; of those that come and go meanwhile, some are.
 */
export function pageOf(sections: readonly Section[], from: number): HttpPage {
  const at = Math.floor(from / parts);
  const section = sections[at];
  if (section === undefined) throw new RangeError(`a list has no page from ${from} on`);
  const first = from % parts;
  const end = Math.min(parts, first + Math.max(1, Math.floor((parts * lookedAt) / section.size)));
  const items: string[] = [];
  for (let part = first; part < end; part++) items.push(...section.items(part));
  const next = at * parts + end;
  return {
    status: 200,
    items,
    ...(first === 0 && { open: section.open }),
    ...(end === parts && { close: section.close }),
    ...(next < sections.length * parts && { next }),
  };
}
