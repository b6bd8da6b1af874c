import type { Clock } from '../../../core/kit/clock.ts';
import type { AuthVerdict, ForwardAuths } from '../access/access-question.ts';
import type { Passwords } from '../access/basic-auth.ts';
import type { Lease } from '../access/limiter.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { misdirection, type ServedTogether } from '../listeners/server-name.ts';
import { bothChanges, type FieldChanges } from '../routes/field-changes.ts';
import { matchRoute } from '../routes/match.ts';
import {
  certificateAnswer,
  limitAnswer,
  passwordAnswer,
  policyAnswer,
  type RoutePolicy,
} from '../routes/route-policy.ts';
import type { RouteTable } from '../routes/route-table.ts';
import type { TableRoute } from '../routes/table-route.ts';
import type { EdgeSettings } from '../settings.ts';
import type { Counters } from '../telemetry/counters.ts';
import type { RouteTally } from '../telemetry/route-tally.ts';
import { type ClientFacts, policyRequest } from './client-facts.ts';
import { valuesOf } from './forward.ts';
import { endedHere } from './max-forwards.ts';
import type { PolicyAnswer } from './policy-answer.ts';

/** What is to become of a request. */
export type Decision =
  /** The edge answers by itself. */
  | { readonly kind: 'answer'; readonly answer: PolicyAnswer; readonly tally: RouteTally }
  | Forward
  /** Something has to be found out first: then the same question again, with what was found. */
  | { readonly kind: 'wait'; readonly until: Promise<AuthVerdict | undefined> };

export type Forward = {
  readonly kind: 'forward';
  readonly route: TableRoute;
  /** To be ended with the request; undefined: nothing is limited. */
  readonly lease: Lease | undefined;
  /** What access control adds to the request. */
  readonly changes: FieldChanges | undefined;
};

export type DecisionContext = {
  readonly table: () => RouteTable;
  readonly clock: Clock;
  readonly settings: EdgeSettings;
  readonly counters: Counters;
  readonly passwords: Passwords;
  readonly forwardAuths: ForwardAuths;
  readonly servedTogether: ServedTogether;
};

const noRoute = {
  status: 404,
  text: 'No route leads from this host and path to a service.',
  why: 'no-route',
};
const busy = { status: 503, text: 'Too many passwords are being checked.', why: 'busy' };
const noTable = { status: 503, text: 'The edge has no routes yet.', why: 'no-table' };

/**
 * Decides on a request whose head has come, whatever protocol it came by: which route, and whether its policies let it pass. Writes
 * nothing to the client. Whoever is told to wait asks again with the same head and what came of it.
 */
export function decide(
  context: DecisionContext,
  [client, head]: readonly [ClientFacts, RequestHead],
  verdict?: AuthVerdict,
): Decision {
  const table = context.table();
  if (table.challenges.size > 0) {
    const content = table.challenges.get(head.path);
    if (content !== undefined) return challengeDecision(content, context);
  }
  const astray = misdirection(client, head.host?.name, context.servedTogether);
  if (astray !== undefined) return { kind: 'answer', answer: astray, tally: context.counters.unrouted };
  const ended = endedHere(head);
  if (ended !== undefined) return { kind: 'answer', answer: ended, tally: context.counters.unrouted };
  const route = head.host === undefined ? undefined : matchRoute(table, head.host.name, head, client.scope);
  if (route === undefined) {
    const answer = table.revision === 0 ? noTable : noRoute;
    return { kind: 'answer', answer, tally: context.counters.unrouted };
  }
  const { policy } = route;
  if (policy === undefined) return { kind: 'forward', route, lease: undefined, changes: undefined };
  const asked = policyRequest(client, head, context.settings.httpsPort);
  const answer = policyAnswer(policy, asked);
  if (answer !== undefined) return { kind: 'answer', answer, tally: route.tally };
  const shown = shownCertificate(policy, client, context.clock.now());
  if (shown === 'none') return { kind: 'answer', answer: certificateAnswer, tally: route.tally };
  return (
    passwordDecision(context.passwords, policy, head, route) ??
    authDecision(context.forwardAuths, [client, head], route, verdict) ??
    admit(context, asked.clientAddress, route, bothChanges(shown, verdict?.changes))
  );
}

/** Before all routes and their policies: the authority asks on behalf of nobody, and by plain HTTP. */
function challengeDecision(text: string, { counters }: DecisionContext): Decision {
  const answer = { status: 200, text, contentType: 'application/octet-stream', why: 'acme-challenge' };
  return { kind: 'answer', answer, tally: counters.unrouted };
}

/** What the service is told of the client's certificate; `none`: it needs one. */
function shownCertificate(
  { authorities }: RoutePolicy,
  { certificate }: ClientFacts,
  now: number,
): FieldChanges | 'none' | undefined {
  if (authorities === undefined) return undefined;
  const shown = certificate?.();
  const accepted = shown !== undefined && authorities.accepts(shown, now) ? shown : undefined;
  return accepted === undefined && authorities.required ? 'none' : authorities.changes(accepted);
}

function passwordDecision(
  passwords: Passwords,
  { options: { auth } }: RoutePolicy,
  head: RequestHead,
  { tally }: TableRoute,
): Decision | undefined {
  if (auth === undefined) return undefined;
  const verdict = passwords.check(auth, valuesOf(head, 'authorization'));
  if (typeof verdict === 'object') return { kind: 'wait', until: verdict.then(() => undefined) };
  if (verdict === 'granted') return undefined;
  const answer = verdict === 'busy' ? busy : passwordAnswer(auth.realm);
  return { kind: 'answer', answer, tally };
}

/** The other service is asked about each request anew. */
function authDecision(
  forwardAuths: ForwardAuths,
  request: readonly [ClientFacts, RequestHead],
  { policy, tally }: TableRoute,
  verdict: AuthVerdict | undefined,
): Decision | undefined {
  const forwardAuth = policy?.options.forwardAuth;
  if (policy === undefined || forwardAuth === undefined) return undefined;
  if (verdict?.asked !== policy)
    return { kind: 'wait', until: forwardAuths.ask(policy, forwardAuth, request) };
  return verdict.answer === undefined ? undefined : { kind: 'answer', answer: verdict.answer, tally };
}

function admit(
  { clock, counters }: DecisionContext,
  clientAddress: string,
  route: TableRoute,
  changes: FieldChanges | undefined,
): Decision {
  const lease = route.policy?.limiter?.admit(clientAddress, clock.now());
  if (typeof lease === 'string') {
    counters.limited[lease]++;
    return { kind: 'answer', answer: limitAnswer(lease), tally: route.tally };
  }
  return { kind: 'forward', route, lease, changes };
}
