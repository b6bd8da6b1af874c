import type { RequestHead } from '../http1/request-head.ts';
import type { FieldChanges } from '../routes/field-changes.ts';
import { fieldValue } from './forward.ts';
import type { PolicyAnswer } from './policy-answer.ts';

const name = 'max-forwards';
const drop: ReadonlySet<string> = new Set([name]);
const nothingLeft: PolicyAnswer = {
  status: 200,
  text: 'The request may not go further: its Max-Forwards is 0.',
  why: 'max-forwards',
};

/** How often the request may still be handed on; it counts for two methods only (RFC 9110 §7.6.2). Undefined: nothing is said. */
function forwardsLeft(head: RequestHead): number | undefined {
  if (head.method !== 'OPTIONS' && head.method !== 'TRACE') return undefined;
  const value = fieldValue(head, name);
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}

/** The answer to a request that may not be handed on. It shows nothing of the request, unlike that of a service to TRACE. */
export function endedHere(head: RequestHead): PolicyAnswer | undefined {
  return forwardsLeft(head) === 0 ? nothingLeft : undefined;
}

/** One time less is left to whoever gets it. */
export function oneForwardLess(head: RequestHead): FieldChanges | undefined {
  const left = forwardsLeft(head);
  return left === undefined ? undefined : { drop, lines: `Max-Forwards: ${left - 1}\r\n` };
}
