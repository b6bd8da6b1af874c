import { hidden } from '../corpus/hidden.ts';
import { canonical, refused } from '../corpus/malformed.ts';

/** Everything that tests send by name, to be damaged. */
export const corpus: readonly string[] = [
  ...hidden.map(([, text]) => text),
  ...Object.values(refused).filter((text) => text.length < 2_000),
  ...Object.values(canonical).map(([text]) => text),
];
