import { count } from './words.ts';

type InForce = { readonly revision: number; readonly edges: number; readonly inForce: number };

/** On how many edges what was shown is in force. */
export function inForceText({ revision, edges, inForce }: InForce): string {
  if (edges === 0) return 'No edge runs: start one with "weir agent --edge".';
  return `Revision ${revision} is in force on ${inForce} of ${count(edges, 'edge')}.`;
}
