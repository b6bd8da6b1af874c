import type { FastifyInstance } from 'fastify';
import { NotBuilt } from '../problem.ts';

/** What Marathon has and Weir does not have yet. Answering 501 with the name is better than a wrong 200 or a vague 404. */
const missing: readonly (readonly [url: string, name: string])[] = [
  ['/logging', 'Changing log levels at run time'],
];

export function notBuiltRoutes(server: FastifyInstance): void {
  for (const [url, name] of missing) {
    // The router reads a doubled colon as one that is meant as it stands.
    server.all(url.replaceAll(':', '::'), async () => {
      throw new NotBuilt(name);
    });
  }
}
