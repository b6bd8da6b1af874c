import t from 'tap';
import { corpus } from '../testing/fuzz/corpus.ts';
import { fuzzAnswers, fuzzRequests } from '../testing/fuzz/fuzz.ts';
import { unstated } from '../testing/fuzz/stated.ts';

/** `WEIR_SEED` takes another one. `npm run fuzz -- http` does the same at length, with another seed each time. */
const seed = Number(process.env['WEIR_SEED'] ?? 27_953_985);

t.test(`the edge forwards only what llhttp reads as the same requests (seed ${seed})`, async (t) => {
  const { outcomes, disagreements } = fuzzRequests({ seed, count: 100_000, corpus });
  t.same(disagreements, []);
  t.same(unstated(outcomes), [], 'where we are stricter, it is stated why');
  t.ok((outcomes['both accept'] ?? 0) > 10_000, 'many of them are good requests');
});

t.test(`the edge gives clients only what llhttp reads as the same answer (seed ${seed})`, async (t) => {
  const { outcomes, disagreements } = fuzzAnswers({ seed, count: 50_000, corpus: [] });
  t.same(disagreements, []);
  t.ok((outcomes['complete'] ?? 0) > 5_000, 'many of them are good answers');
});
