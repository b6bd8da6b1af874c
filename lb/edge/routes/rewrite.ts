import type { PathRewrite, RouteOptions } from '../../../core/model/route.ts';
import { comparablePath } from './comparable-path.ts';
import { expression } from './expression.ts';

/** Turns the path of a request into the one that the service is asked for. */
export type PathChange = (path: string) => string;

/** Undefined: paths stay. `prefix`: the route's own. */
export function pathChange(options: RouteOptions, prefix: string): PathChange | undefined {
  const { rewritePath, stripPrefix } = options;
  if (rewritePath !== undefined) return withoutClimbing(changeOf(rewritePath, prefix));
  if (stripPrefix === undefined) return undefined;
  return withoutClimbing((path) => strippedPath(stripPrefix, path));
}

const dots = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/**
 * What is changed has no `..`, nor has what comes of it: from `/in../admin` a service would be asked for `/admin`, which is another
 * route's (CVE-2026-48020). A path that the change would make so stays.
 */
function withoutClimbing(change: PathChange): PathChange {
  return (path) => {
    const given = dots.test(path) ? comparablePath(path) : path;
    const changed = change(given);
    return dots.test(changed) ? given : changed;
  };
}

/** `/in/x` without the prefix `/in` is `/x`; only whole segments are taken off. */
export function strippedPath(stripPrefix: string, path: string): string {
  return exchanged(stripPrefix, '/', path);
}

/** A `Location` of the service as the public must see it: with the prefix, if it leads back to the same host. */
export function publicLocation(prefix: string, location: string, hostText: string): string {
  const path = pathOnHost(location, hostText);
  return path === undefined ? location : `${prefix.replace(/\/+$/, '')}${path}`;
}

/** A `Location` on this host below `from`: below `to` instead, without scheme and host (ingress.md A6). */
export function movedLocation(
  { from, to }: { readonly from: string; readonly to: string },
  location: string,
  hostText: string,
): string {
  const path = pathOnHost(location, hostText);
  return path?.startsWith(from) === true ? oneSlash(`${to}${path.slice(from.length)}`) : location;
}

export function withoutPort(hostText: string): string {
  return hostText.replace(/:\d*$/, '');
}

function changeOf(rewrite: PathRewrite, prefix: string): PathChange {
  if ('prefix' in rewrite) return (path) => exchanged(prefix, rewrite.prefix, path);
  if ('from' in rewrite) {
    const { from, to } = rewrite;
    return (path) => (path.startsWith(from) ? oneSlash(`${to}${path.slice(from.length)}`) : path);
  }
  const regex = expression(rewrite.regex);
  return (path) => oneSlash(regex.matcher(path).replaceFirst(rewrite.with));
}

/** A prefix of whole segments in place of another; a path that does not begin so stays. */
function exchanged(from: string, to: string, path: string): string {
  const prefix = from.replace(/\/+$/, '');
  const rest = path.slice(prefix.length);
  if (!path.startsWith(prefix) || (rest !== '' && !rest.startsWith('/'))) return path;
  const base = to.replace(/\/+$/, '');
  return rest === '' ? to : `${base}${rest}`;
}

/** Exactly one at the front: two would name a host. */
function oneSlash(path: string): string {
  return `/${path.replace(/^\/+/, '')}`;
}

/** The path and query of a location that leads to this host; undefined for any other. */
function pathOnHost(location: string, hostText: string): string | undefined {
  const [, authority, path] = /^(?:https?:\/\/([^/?#]*))?(\/(?!\/).*)$/i.exec(location) ?? [];
  if (path === undefined || authority === undefined) return path;
  return withoutPort(authority).toLowerCase() === withoutPort(hostText).toLowerCase() ? path : undefined;
}
