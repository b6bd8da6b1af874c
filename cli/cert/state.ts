import type { IssuanceInfo } from '../master/answers.ts';

const steps: Readonly<Record<string, string>> = {
  waiting: 'waits for its turn',
  preflight: 'looking whether the authority could issue',
  ordering: 'ordering',
  validating: 'the authority looks whether the hosts are ours',
  finalizing: 'the authority issues',
};

/** How far an issuance is, in one line. */
export function stateText(issuance: IssuanceInfo): string {
  const { state, issuedUntil, renewsAt, lastFailure, nextTryAt } = issuance;
  if (state === 'failed') return `failed: ${lastFailure?.reason}; tried again at ${nextTryAt}`;
  if (state === 'issued') return `issued until ${issuedUntil}, renewed at ${renewsAt}`;
  return steps[state] ?? state;
}
