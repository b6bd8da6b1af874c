import { corpus } from './corpus.ts';
import { type FuzzReport, fuzzAnswers, fuzzRequests } from './fuzz.ts';
import { unstated } from './stated.ts';

/** `npm run fuzz -- http [COUNT] [SEED]`: so many requests, and a third as many answers. Fails on any disagreement. */
const count = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 32);

console.log(`seed ${seed}`);
const startedAt = performance.now();
tell('requests', fuzzRequests({ seed, count, corpus }));
tell('answers', fuzzAnswers({ seed, count: Math.ceil(count / 3), corpus: [] }));
console.log(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);

function tell(what: string, { outcomes, disagreements }: FuzzReport): void {
  const total = Object.values(outcomes).reduce((sum, n) => sum + n, disagreements.length);
  console.log(`${total} ${what}:`);
  const rows = Object.entries(outcomes).sort(([, a], [, b]) => b - a);
  for (const [outcome, n] of rows) console.log(`  ${String(n).padStart(8)} ${outcome}`);
  const reasons = what === 'requests' ? unstated(outcomes) : [];
  for (const line of [...disagreements, ...reasons]) console.error(`  disagreement: ${line}`);
  if (disagreements.length + reasons.length > 0) process.exitCode = 1;
  console.log(`  ${disagreements.length} disagreements, ${reasons.length} reasons that are not stated`);
}
