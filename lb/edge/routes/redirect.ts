import type { Redirect } from '../../../core/model/route.ts';
import type { PolicyAnswer, PolicyRequest } from '../request/policy-answer.ts';
import { withoutPort } from './rewrite.ts';

/** Where a redirect sends a request to a route of this path. What it does not name stays as it was asked for. */
export function redirected(redirect: Redirect, pathPrefix: string, request: PolicyRequest): PolicyAnswer {
  const scheme = redirect.scheme ?? request.scheme;
  const host = redirect.host ?? withoutPort(request.hostText);
  const authority = `${host}${portText(redirect, request, scheme)}`;
  const query = request.target.slice(request.path.length);
  return moved(redirect.status, `${scheme}://${authority}${pathOf(redirect, pathPrefix, request)}${query}`);
}

export function moved(status: number, location: string): PolicyAnswer {
  return { status, text: `It is at ${location}`, fields: `Location: ${location}\r\n`, why: 'redirect' };
}

/** Who came to a port of their own choice is sent to ours; who came to the usual one to the usual one of TLS. */
export function secureLocation({ hostText, target, httpsPort }: PolicyRequest): string {
  const withPort = /:\d+$/.test(hostText) && httpsPort !== undefined && httpsPort !== 443;
  return `https://${withoutPort(hostText)}${withPort ? `:${httpsPort}` : ''}${target === '*' ? '/' : target}`;
}

/** The port of the request goes with its scheme and host: with another of them the usual port is meant. */
function portText(
  { port, scheme, host }: Redirect,
  { hostText, ...request }: PolicyRequest,
  to: string,
): string {
  if (port !== undefined) return port === (to === 'https' ? 443 : 80) ? '' : `:${port}`;
  const same = host === undefined && (scheme === undefined || scheme === request.scheme);
  return same ? (/:\d+$/.exec(hostText)?.[0] ?? '') : '';
}

function pathOf({ path, prefix }: Redirect, pathPrefix: string, request: PolicyRequest): string {
  if (path !== undefined) return path;
  if (prefix === undefined) return request.path;
  const rest = request.path.slice(pathPrefix.length).replace(/^\/+/, '');
  return rest === '' ? prefix : `${prefix.replace(/\/+$/, '')}/${rest}`;
}
