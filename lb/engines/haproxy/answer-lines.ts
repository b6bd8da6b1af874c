import { longestPage } from '../../../core/model/haproxy-lacks.ts';
import type { Maintenance, Redirect, Route, RouteOptions } from '../../../core/model/route.ts';
import { addressAcl } from './acls.ts';
import { answer, moved } from './page-lines.ts';
import { literal, word } from './words.ts';

/** Answers of the edge itself: that it is closed, then redirects. `httpsPort`: where this edge serves TLS. */
export function answerLines(route: Route, httpsPort: number | undefined): readonly string[] {
  const { options = {} } = route;
  const { maintenance, redirectToHttps, redirect, rootTo } = options;
  return [
    ...(maintenance === undefined ? [] : maintenanceLines(maintenance)),
    ...(redirectToHttps === true ? secureLines(httpsPort) : []),
    ...(redirect === undefined ? [] : redirectLines(redirect, route)),
    ...rootLines(rootTo),
  ];
}

function maintenanceLines(maintenance: Maintenance): readonly string[] {
  const { status = 503, contentType, retryAfterSeconds, except } = maintenance;
  const { text = 'The service is being worked on.' } = maintenance;
  const fields = retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) };
  const given = text.length > longestPage ? 'The service is being worked on.' : text;
  const page = { status, why: 'maintenance', text: literal(given), contentType, fields };
  if (except === undefined || except.length === 0) return answer(page);
  return [...addressAcl('spared', except), ...answer(page, 'unless spared')];
}

/** Who came to a port of their own choice is sent to ours; who came to the usual one to the usual one of TLS. */
function secureLines(httpsPort: number | undefined): readonly string[] {
  const named = httpsPort !== undefined && httpsPort !== 443;
  const target = '%[var(txn.target)]';
  const plain = '!{ var(txn.scheme) -m str https }';
  return [
    ...(named
      ? moved(
          301,
          `https://%[var(txn.bare)]:${httpsPort}${target}`,
          `if ${plain} { var(txn.authority) -m reg :[0-9]+$ }`,
        )
      : []),
    ...moved(301, `https://%[var(txn.bare)]${target}`, `if ${plain}`),
  ];
}

/** What the redirect does not name stays as it was asked for. */
function redirectLines(redirect: Redirect, { pathPrefix }: Route): readonly string[] {
  const { status, path, prefix } = redirect;
  const before = `${schemeOf(redirect)}://`;
  const set = 'http-request set-var-fmt(txn.to)';
  const query = '%[var(txn.question)]';
  const authority = authorityLines(redirect);
  const send = (to: string, when = '') => moved(status, `${before}%[var(txn.to)]${to}${query}`, when);
  if (path !== undefined) return [...authority, ...send(literal(path))];
  if (prefix === undefined) return [...authority, ...send('%[path]')];
  const base = prefix.replace(/\/+$/, '');
  return [
    ...authority,
    `${set.replace('txn.to', 'txn.rest')} '%[path,bytes(${pathPrefix.length}),ltrim(/)]'`,
    ...send(`${literal(base)}/%[var(txn.rest)]`, 'if { var(txn.rest) -m len gt 0 }'),
    ...send(literal(prefix)),
  ];
}

function schemeOf({ scheme }: Redirect): string {
  return scheme ?? '%[var(txn.scheme)]';
}

/** The port of the request goes with its scheme and host: with another of them the usual port is meant. */
function authorityLines({ scheme, host, port }: Redirect): readonly string[] {
  const set = (format: string, when = '') => `http-request set-var-fmt(txn.to) ${word(format)}${when}`;
  const name = host === undefined ? '%[var(txn.bare)]' : literal(host);
  if (port === undefined) {
    if (host !== undefined) return [set(name)];
    if (scheme === undefined) return [set('%[var(txn.authority)]')];
    return [set(name), set('%[var(txn.authority)]', ` if { var(txn.scheme) -m str ${scheme} }`)];
  }
  if (port !== 80 && port !== 443) return [set(`${name}:${port}`)];
  const usual = port === 443 ? 'https' : 'http';
  if (scheme !== undefined) return [set(scheme === usual ? name : `${name}:${port}`)];
  return [set(`${name}:${port}`), set(name, ` if { var(txn.scheme) -m str ${usual} }`)];
}

function rootLines(rootTo: RouteOptions['rootTo']): readonly string[] {
  if (rootTo === undefined || rootTo === '/') return [];
  return moved(301, literal(rootTo), 'if { path -m str / }');
}
