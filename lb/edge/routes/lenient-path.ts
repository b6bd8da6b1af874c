import { comparablePath } from './comparable-path.ts';

/** What some servers read as something else: `//`, `\`, parameters of segments, and what stands for a slash or a dot once it is decoded. */
const doubtful = /[;\\]|\/\/|%(?:2f|5c|3b|25|c[01]|e0)/i;
/** UTF-8 longer than it may be (RFC 3629 §3), which careless decoders take. */
const overlong = [
  [/%(?:c0|e0%80)%ae/gi, '.'],
  [/%(?:c0|e0%80)%af|%c1%9c/gi, '/'],
] as const;

/**
 * A path as the most lenient of servers may read it: `//admin`, `/\admin`, `/admin;x`, `/..;/admin`, `/x%2f..%2fadmin` and `/%2561dmin` are
 * `/admin`. Undefined where there is nothing to be lenient about.
 */
export function lenientPath(path: string): string | undefined {
  if (!doubtful.test(path)) return undefined;
  const decoded = overlong.reduce(
    (text, [pattern, character]) => text.replace(pattern, character),
    path.replace(/%25/g, '%'),
  );
  const segments = decoded
    .replace(/\\|%2f|%5c/gi, '/')
    .replace(/(?:;|%3b)[^/]*/gi, '')
    .replace(/\/+/g, '/');
  return comparablePath(segments);
}
