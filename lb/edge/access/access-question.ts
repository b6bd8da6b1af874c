import type { ForwardAuth } from '../../../core/model/route.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ClientFacts } from '../request/client-facts.ts';
import type { PolicyAnswer } from '../request/policy-answer.ts';
import type { FieldChanges } from '../routes/field-changes.ts';
import type { RoutePolicy } from '../routes/route-policy.ts';

/** What the other service says of a request. */
export type AuthVerdict = {
  /** Whose question it answers: after a change of the route it has to be asked again. */
  readonly asked: RoutePolicy;
  /** It may not pass; undefined: it may. */
  readonly answer: PolicyAnswer | undefined;
  /** What it adds to the request; a client cannot say the same by itself. */
  readonly changes: FieldChanges | undefined;
};

/** Asks other services whether requests may pass. */
export interface ForwardAuths {
  ask(
    policy: RoutePolicy,
    auth: ForwardAuth,
    request: readonly [ClientFacts, RequestHead],
  ): Promise<AuthVerdict>;
}
