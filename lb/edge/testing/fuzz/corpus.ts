import { advisoriesCanonical, advisoriesRefused } from '../corpus/advisories.ts';
import { hidden } from '../corpus/hidden.ts';
import { canonical, refused } from '../corpus/malformed.ts';
import { misplaced } from '../corpus/places.ts';

/** Everything that tests send by name, to be damaged. */
export const corpus: readonly string[] = [
  ...[...hidden, ...misplaced].map(([, text]) => text),
  ...Object.values({ ...refused, ...advisoriesRefused }).filter((text) => text.length < 2_000),
  ...Object.values({ ...canonical, ...advisoriesCanonical }).map(([text]) => text),
];
