import type { RouteOptions } from '../../../core/model/route.ts';

/** Whether a route may turn somebody away: such a route also takes what only lenient endpoints read as its path. */
export function mayRefuse({
  allow,
  deny,
  maintenance,
  limits,
  clientCertificate,
  auth,
  forwardAuth,
}: RouteOptions): boolean {
  const reasons = [allow, deny, maintenance, limits, clientCertificate, auth, forwardAuth];
  return reasons.some((one) => one !== undefined);
}
