import { haproxyLacks } from '../../../core/model/haproxy-lacks.ts';
import type { Route } from '../../../core/model/route.ts';
import { mayRefuse } from '../../edge/routes/may-refuse.ts';
import type { RouteTable } from '../../edge/routes/route-table.ts';
import { addressLines, limitLines, limitSections, passwordLines, passwordSections } from './access-lines.ts';
import { answerLines } from './answer-lines.ts';
import { askLines } from './ask-lines.ts';
import { certificateLines } from './client-certificate-lines.ts';
import { answer, closedPage } from './page-lines.ts';
import { requestLines, responseLines } from './rewrite-lines.ts';
import type { Shape } from './sections.ts';
import { cookieOf, stickyLines } from './sticky-lines.ts';
import { healthOptions, trafficLines } from './traffic-lines.ts';
import { speechOf } from './upstream-words.ts';

export type ShapeSettings = {
  readonly httpsPort: number | undefined;
  readonly slowStartMs: number;
};

type Certificates = RouteTable['certificates'];

/** How HAProxy carries out a route. Who may ask is asked first, as in the other engine (lb/edge/request/decide.ts). */
export function shapeOf(
  route: Route,
  settings: ShapeSettings,
  certificates: Certificates = new Map(),
): Shape {
  if (haproxyLacks(route).some(({ effect }) => effect === 'closed')) return closedShape('requests');
  const { options = {} } = route;
  const rules = [
    ...addressLines(options),
    ...answerLines(route, settings.httpsPort),
    ...certificateLines(options),
    ...passwordLines(options),
    ...askLines(options),
    ...limitLines(options),
    ...requestLines(route),
    ...stickyLines(options),
    ...responseLines(route),
  ];
  const { words: speech, files } = speechOf(options, certificates);
  return {
    from: 'requests',
    lines: [...trafficLines(options), ...preludeOf(rules), ...rules],
    sections: [...passwordSections(options), ...limitSections(options)],
    speech,
    health: healthOptions(options, settings),
    checks: options.check !== undefined,
    cookie: cookieOf(options),
    isScripted: options.forwardAuth !== undefined,
    files,
    restricts: mayRefuse(options),
  };
}

/** Nobody gets anything: part of it cannot be carried out, and may restrict who gets what. */
export function closedShape(from: Shape['from']): Shape {
  const lines = from === 'requests' ? answer(closedPage) : ['tcp-request content reject'];
  const nothing = { sections: [], speech: [], health: [], files: [] };
  return { from, lines, ...nothing, checks: false, cookie: undefined, isScripted: false, restricts: true };
}

/** What rules speak of, found out once; the frontend has written X-Forwarded-Proto before. */
const facts: readonly (readonly [name: string, line: string])[] = [
  ['txn.scheme', 'set-var(txn.scheme) req.hdr(x-forwarded-proto),lower'],
  ['txn.authority', 'set-var(txn.authority) req.hdr(host)'],
  ['txn.bare', 'set-var(txn.bare) req.hdr(host),host_only'],
  ['txn.bare_lower', 'set-var(txn.bare_lower) req.hdr(host),host_only,lower'],
  ['txn.target', 'set-var(txn.target) pathq'],
  ['txn.question', 'set-var-fmt(txn.question) ?%[query] if { pathq -m sub ? }'],
];

function preludeOf(rules: readonly string[]): readonly string[] {
  const said = rules.join('\n');
  return facts
    .filter(([name]) => new RegExp(`${name.replace('.', '\\.')}\\b`).test(said))
    .map(([, line]) => `http-request ${line}`);
}
