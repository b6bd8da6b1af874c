import { appIdTable } from '../../core/model/app-id-table.ts';
import type { Directory } from '../../core/model/directory.ts';
import type { Route } from '../../core/model/route.ts';

/** marathon-lb's `domain2backend.map`: hosts that lead to one backend whatever is asked there (ingress.md B4, map mode). */
export function hostMap(directory: Directory): string {
  return mapText(
    [...directory.routes.values()]
      .filter((route) => route.table === undefined && isPlain(route))
      .map(({ host, backend = '' }) => [host, backend]),
  );
}

/** marathon-lb's `app2backend.map`: what is reached by `X-Marathon-App-Id`. */
export function appMap(directory: Directory): string {
  return mapText(
    [...directory.routes.values()].flatMap(({ table, host, backend = '' }) =>
      table === appIdTable ? [[host, backend]] : [],
    ),
  );
}

/** A path, a password or a redirect needs a rule; a map has none. */
function isPlain({ backend, pathPrefix, conditions, options = {} }: Route): boolean {
  const { auth, redirectToHttps, redirect, maintenance } = options;
  return (
    backend !== undefined &&
    pathPrefix === '/' &&
    [conditions, auth, redirectToHttps, redirect, maintenance].every((one) => one === undefined)
  );
}

function mapText(pairs: readonly (readonly [string, string])[]): string {
  const lines = pairs.map(([key, backend]) => `${key} ${backend}\n`);
  return lines.toSorted().join('');
}
