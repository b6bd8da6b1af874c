import { compareAnswers } from './answer-agreement.ts';
import { answers } from './answer-grammar.ts';
import { Chance } from './chance.ts';
import { cuts } from './cut.ts';
import { EdgeAnswers } from './edge-answers.ts';
import { EdgeRequests } from './edge-requests.ts';
import { Llhttp } from './llhttp.ts';
import { mutate } from './mutate.ts';
import { compareRequests, type Verdict } from './request-agreement.ts';
import { requests } from './request-grammar.ts';

export type FuzzOptions = {
  readonly seed: number;
  readonly count: number;
  /** Inputs to be damaged, besides those of the grammar. */
  readonly corpus: readonly string[];
};

export type FuzzReport = {
  /** How many inputs came out how. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** The first few. */
  readonly disagreements: readonly string[];
};

const maxShown = 20;

/** Requests, made and damaged by chance and cut by chance, through the edge's parsers and llhttp. */
export function fuzzRequests({ seed, count, corpus }: FuzzOptions): FuzzReport {
  const chance = new Chance(seed);
  const [edge, llhttp] = [new EdgeRequests(), new Llhttp()];
  return tried(count, () => {
    const bytes = Buffer.from(input(chance, requests, corpus), 'latin1');
    const places = cuts(chance, bytes.length);
    return { bytes, places, verdict: compareRequests(llhttp, edge.read(bytes, places), bytes) };
  });
}

/** The same with answers of endpoints. */
export function fuzzAnswers({ seed, count, corpus }: FuzzOptions): FuzzReport {
  const chance = new Chance(seed);
  const [edge, llhttp] = [new EdgeAnswers(), new Llhttp()];
  return tried(count, () => {
    const bytes = Buffer.from(input(chance, answers, corpus), 'latin1');
    const places = cuts(chance, bytes.length);
    const method = chance.happens(0.15) ? 'HEAD' : 'GET';
    const answer = edge.read(bytes, places, method);
    return { bytes, places, verdict: compareAnswers(llhttp, answer, bytes, method) };
  });
}

type Try = { readonly bytes: Buffer; readonly places: readonly number[]; readonly verdict: Verdict };

function tried(count: number, once: () => Try): FuzzReport {
  const outcomes: Record<string, number> = {};
  const disagreements: string[] = [];
  for (let n = 0; n < count && disagreements.length < maxShown; n++) {
    const { bytes, places, verdict } = once();
    if ('outcome' in verdict) outcomes[verdict.outcome] = (outcomes[verdict.outcome] ?? 0) + 1;
    else
      disagreements.push(
        `${verdict.disagreement}: ${JSON.stringify(bytes.toString('latin1'))} cut at ${places}`,
      );
  }
  return { outcomes, disagreements };
}

function input(chance: Chance, made: (chance: Chance) => string, corpus: readonly string[]): string {
  if (chance.happens(0.5)) return made(chance);
  const text = corpus.length === 0 || chance.happens(0.5) ? made(chance) : chance.of(corpus);
  return mutate(chance, text, corpus.length === 0 ? made(chance) : chance.of(corpus));
}
