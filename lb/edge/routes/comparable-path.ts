/**
 * A path as routes are compared with it: an endpoint may read `/a/../b` and `/%62` as `/b` (RFC 3986 §6.2.2), so a route that
 * restricts `/b` must be found for all of them. What is forwarded stays as it came.
 */
export function comparablePath(path: string): string {
  const decoded = path.includes('%') ? path.replace(/%[0-9A-Fa-f]{2}/g, unreserved) : path;
  return decoded.includes('/.') ? withoutDots(decoded) : decoded;
}

function unreserved(escaped: string): string {
  const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  return /[A-Za-z0-9\-._~]/.test(character) ? character : escaped;
}

/** RFC 3986 §5.2.4. */
function withoutDots(path: string): string {
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  for (const [n, segment] of segments.entries()) {
    if (segment === '..') kept.pop();
    else if (segment !== '.') kept.push(segment);
    if ((segment === '.' || segment === '..') && n === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}
