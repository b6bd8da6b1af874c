import type { RouteBalance } from '../../core/model/route.ts';
import type { BalancerFactory } from '../balancer.ts';
import { hash } from './hash.ts';
import { leastRequests } from './least-requests.ts';
import { roundRobin } from './round-robin.ts';
import { twoChoices } from './two-choices.ts';

/** The balancers that a route can ask for. */
export const balancersByName: Readonly<Record<RouteBalance, BalancerFactory>> = {
  'round-robin': roundRobin,
  'least-requests': leastRequests,
  'two-choices': twoChoices,
  hash,
};
