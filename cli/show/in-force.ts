import { count } from './words.ts';

type InForce = {
  readonly revision: number;
  readonly edges: number;
  readonly inForce: number;
  /** Edges that are told no keys. */
  readonly withoutKeys?: readonly string[];
};

/** On how many edges what was shown is in force. */
export function inForceText({ revision, edges, inForce, withoutKeys = [] }: InForce): string {
  if (edges === 0) return 'No edge runs: start one with "weir agent --edge".';
  const text = `Revision ${revision} is in force on ${inForce} of ${count(edges, 'edge')}.`;
  if (withoutKeys.length === 0) return text;
  return `${text}\n${withoutKeys.join(', ')}: told no keys of certificates, for want of the join secret (master/join-secret in the master's data folder; give it as WEIR_JOIN_SECRET).`;
}
