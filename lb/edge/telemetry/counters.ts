import { RouteTally } from './route-tally.ts';

/** What the data path counts beside the tallies of routes. Plain numbers: adding to one must cost nothing. */
export class Counters {
  openConnections = 0;
  connectFailures = 0;
  retries = 0;
  ejections = 0;
  refused = 0;
  /** Requests beyond a limit, by whose limit it was. */
  readonly limited = { client: 0, route: 0 };
  tlsHandshakes = 0;
  tlsFailures = 0;
  /** Answers to requests that no route matched. */
  readonly unrouted = new RouteTally('none');
}
