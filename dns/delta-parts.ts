import type { DirectoryDelta } from '../core/model/directory.ts';

/** So many entries are read from a message in well under a millisecond. */
const mostEntries = 64;

const tables = ['agents', 'endpoints', 'vips'] as const;
type Table = (typeof tables)[number];

/** A piece of a delta: some of what one table is set to, or loses. */
type DeltaPart = {
  readonly revision: number;
  readonly table: Table;
  readonly set: readonly unknown[];
  readonly gone: readonly string[];
};

/** A piece as it is sent: as JSON, which is read twice as fast as what processes otherwise send each other. */
export type PartText = string;

/** What of a delta concerns names, in pieces; none when it is small enough to be sent as it is. */
export function* partsOf(delta: DirectoryDelta): Iterable<PartText> {
  const { revision } = delta;
  const size = tables.reduce(
    (sum, table) => sum + (delta[table]?.set.length ?? 0) + (delta[table]?.gone.length ?? 0),
    0,
  );
  if (size <= mostEntries) return;
  for (const table of tables) {
    const { set = [], gone = [] } = delta[table] ?? {};
    for (let at = 0; at < Math.max(set.length, gone.length); at += mostEntries) {
      const [from, to] = [at, at + mostEntries];
      const part: DeltaPart = { revision, table, set: set.slice(from, to), gone: gone.slice(from, to) };
      yield JSON.stringify(part);
    }
  }
}

/** The delta without what its parts say. */
export function withoutParts(delta: DirectoryDelta): DirectoryDelta {
  const { from, revision } = delta;
  return { from, revision };
}

/** Reads what `partsOf` wrote; it comes from our own parent process. */
export function parsePart(text: PartText): DeltaPart {
  return JSON.parse(text) as DeltaPart;
}

/** The delta again. Parts of another revision are of one that was never finished. */
export function joined(delta: DirectoryDelta, parts: readonly DeltaPart[]): DirectoryDelta {
  const own = parts.filter((part) => part.revision === delta.revision);
  if (own.length === 0) return delta;
  const of = (table: Table) => {
    const mine = own.filter((part) => part.table === table);
    return { set: mine.flatMap(({ set }) => set), gone: mine.flatMap(({ gone }) => gone) };
  };
  // both ends are this file
  return { ...delta, agents: of('agents'), endpoints: of('endpoints'), vips: of('vips') } as DirectoryDelta;
}
