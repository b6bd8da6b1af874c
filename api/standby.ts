import type { ApiDependencies, ApiOptions } from './dependencies.ts';
import type { Handle } from './door.ts';
import { type Leadership, leaderProxy } from './leader-proxy.ts';
import { standbyRouter } from './server.ts';

/** What is answered by whoever is asked, leader or not (Marathon §1.5). */
const local = /^\/(ping|metrics|logging|help|ui|docs|public)?(\/|\?|$)/;

/** The API of a master that waits: a few answers of its own, everything else is the leader's. */
export function standby(
  leadership: Leadership,
  { dependencies, options }: { dependencies: ApiDependencies; options: ApiOptions },
): Handle {
  const forward = leaderProxy(leadership, dependencies);
  const own = standbyRouter(dependencies, options);
  return (request, response) =>
    local.test((request.url ?? '').replace(/^\/+/, '/'))
      ? own.then((handle) => handle(request, response))
      : forward(request, response);
}
