import type { Passwords } from './basic-auth.ts';
import { type ClientFacts, policyRequest } from './client-facts.ts';
import type { Counters } from './counters.ts';
import { valuesOf } from './forward.ts';
import type { RequestHead } from './http1/request-head.ts';
import { matchRoute } from './match.ts';
import { type PolicyAnswer, passwordAnswer, policyAnswer, type RoutePolicy } from './route-policy.ts';
import type { RouteTable, TableRoute } from './route-table.ts';
import type { RouteTally } from './route-tally.ts';
import type { EdgeSettings } from './settings.ts';

/** What is to become of a request. */
export type Decision =
  /** The edge answers by itself. */
  | { readonly kind: 'answer'; readonly answer: PolicyAnswer; readonly tally: RouteTally }
  | { readonly kind: 'forward'; readonly route: TableRoute }
  /** Something has to be found out first: then the same question again. */
  | { readonly kind: 'wait'; readonly until: Promise<void> };

export type DecisionContext = {
  readonly table: () => RouteTable;
  readonly settings: EdgeSettings;
  readonly counters: Counters;
  readonly passwords: Passwords;
};

const noRoute = { status: 404, text: 'No route leads from this host and path to a service.' };
const busy = { status: 503, text: 'Too many passwords are being checked.' };
const noTable = { status: 503, text: 'The edge has no routes yet.' };

/**
 * Decides on a request whose head has come, whatever protocol it came by: which route, and whether its policies let it pass. Writes
 * nothing and opens nothing. Whoever is told to wait asks again with the same head.
 */
export function decide(context: DecisionContext, client: ClientFacts, head: RequestHead): Decision {
  const table = context.table();
  const route = head.host === undefined ? undefined : matchRoute(table, head.host.name, head.path);
  if (route === undefined) {
    const answer = table.revision === 0 ? noTable : noRoute;
    return { kind: 'answer', answer, tally: context.counters.unrouted };
  }
  const { policy, tally } = route;
  if (policy === undefined) return { kind: 'forward', route };
  const answer = policyAnswer(policy, policyRequest(client, head, context.settings.httpsPort));
  if (answer !== undefined) return { kind: 'answer', answer, tally };
  return passwordDecision(context.passwords, policy, head, route);
}

function passwordDecision(
  passwords: Passwords,
  { options: { auth } }: RoutePolicy,
  head: RequestHead,
  route: TableRoute,
): Decision {
  const { tally } = route;
  const verdict = auth === undefined ? 'granted' : passwords.check(auth, valuesOf(head, 'authorization'));
  if (typeof verdict === 'object') return { kind: 'wait', until: verdict };
  if (verdict === 'granted') return { kind: 'forward', route };
  const answer = verdict === 'busy' ? busy : passwordAnswer(auth?.realm ?? '');
  return { kind: 'answer', answer, tally };
}
