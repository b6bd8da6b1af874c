import type { PathRewrite, RouteOptions } from '../../../core/model/route.ts';
import { expression } from './expression.ts';

/** Turns the path of a request into the one that the service is asked for. */
export type PathChange = (path: string) => string;

/** Undefined: paths stay. `prefix`: the route's own. */
export function pathChange(options: RouteOptions, prefix: string): PathChange | undefined {
  const { rewritePath, stripPrefix } = options;
  if (rewritePath !== undefined) return changeOf(rewritePath, prefix);
  return stripPrefix === undefined ? undefined : (path) => strippedPath(stripPrefix, path);
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
