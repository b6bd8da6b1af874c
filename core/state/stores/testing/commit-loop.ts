import { SqliteStore } from '../sqlite.ts';

/** A process of its own that commits without end and prints each revision once it was acknowledged; made to be killed. */
const store = new SqliteStore({ folder: process.argv[2]! });
await store.open();
for (;;) {
  const n = (await store.list()).revision;
  const writes = [`/left-${n}`, `/right-${n}`].map(
    (key) => ({ kind: 'put', table: 'apps', key, value: { n, pad: 'x'.repeat(2_000) } }) as const,
  );
  const result = await store.commit(writes);
  if (result.kind === 'committed') process.stdout.write(`${result.revision}\n`);
}
