import type { Passwords } from '../access/basic-auth.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { type ClientFacts, policyRequest } from '../request/client-facts.ts';
import { valuesOf } from '../request/forward.ts';
import { policyAnswer, type RoutePolicy } from '../routes/route-policy.ts';
import { broken, good, type WhyLink } from './why.ts';

const remedies: Readonly<Record<string, string>> = {
  address:
    'the allow and deny lists of the route decide: weir route show ROUTE; --client ADDRESS asks as somebody else',
  maintenance: 'take "maintenance" out of the route when the work is done',
  redirect: 'ask for where it leads',
};

/** Whether the route's policies would answer instead of the service. Limits and other services are named, not asked. */
export async function whyPolicy(
  { passwords, httpsPort }: { readonly passwords: Passwords; readonly httpsPort: number | undefined },
  policy: RoutePolicy | undefined,
  [client, head]: readonly [ClientFacts, RequestHead],
): Promise<WhyLink> {
  if (policy === undefined) return good('policy', 'the route has none');
  const answer = policyAnswer(policy, policyRequest(client, head, httpsPort));
  const { auth, forwardAuth, limits } = policy.options;
  if (answer !== undefined) {
    const { why = '' } = answer;
    const says = `the edge answers ${answer.status} by itself (${why}): ${answer.text}`;
    return broken('policy', says, remedies[why] ?? 'see the definition: weir route show ROUTE');
  }
  if (auth !== undefined && !(await isKnown(passwords, auth, valuesOf(head, 'authorization'))))
    return broken(
      'policy',
      `the edge answers 401 by itself (password): the route wants the password of ${auth.user}`,
      'send it: --header "Authorization: Basic …"',
    );
  const asked = [
    ...(forwardAuth === undefined ? [] : [`${forwardAuth.service.appId} is asked about access`]),
    ...(limits === undefined ? [] : ['there are limits']),
  ];
  return good('policy', asked.length === 0 ? 'lets it pass' : `lets it pass, but ${asked.join(' and ')}`);
}

async function isKnown(
  passwords: Passwords,
  auth: Parameters<Passwords['check']>[0],
  authorization: string,
): Promise<boolean> {
  const verdict = passwords.check(auth, authorization);
  if (typeof verdict !== 'object') return verdict === 'granted';
  await verdict;
  return passwords.check(auth, authorization) === 'granted';
}
