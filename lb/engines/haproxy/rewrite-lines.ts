import { loosePcreOf } from '../../../core/model/pcre.ts';
import type { FieldEdits, PathRewrite, Route, RouteOptions } from '../../../core/model/route.ts';
import { acl, equalAcl } from './acls.ts';
import { literal, word } from './words.ts';

/** What is changed about a request on its way to its endpoint. */
export function requestLines(route: Route): readonly string[] {
  const { options = {}, host, pathPrefix } = route;
  const { rewritePath, stripPrefix, rewriteHost, requestFields } = options;
  const own = stripPrefix !== undefined && !host.startsWith('*') ? host : undefined;
  const told = rewriteHost ?? own;
  const changed = [
    ...(rewritePath !== undefined ? pathLines(rewritePath, pathPrefix) : []),
    ...(rewritePath === undefined && stripPrefix !== undefined ? exchangeLines(stripPrefix, '/') : []),
  ];
  return [
    ...(changed.length === 0 ? [] : withoutClimbing(changed)),
    ...(told === undefined ? [] : [`http-request set-header Host ${word(literal(told))}`]),
    ...(requestFields === undefined ? [] : editLines('request', requestFields)),
  ];
}

const climbs = "{ path -m reg -i '/(\\.|%2e)(\\.|%2e)?(/|$)' }";

/** What is changed has no `..`, nor has what comes of it (lb/edge/routes/rewrite.ts). */
function withoutClimbing(changed: readonly string[]): readonly string[] {
  return [
    `http-request set-var(txn.climbs) bool(true) if ${climbs}`,
    ...['percent-decode-unreserved strict', 'path-strip-dot', 'path-strip-dotdot full'].map(
      (change) => `http-request normalize-uri ${change} if { var(txn.climbs) -m found }`,
    ),
    'http-request set-var(txn.level) path',
    ...changed,
    `http-request set-path '%[var(txn.level)]' if ${climbs}`,
  ];
}

/** What is changed about answers of endpoints. */
export function responseLines({ options = {} }: Route): readonly string[] {
  const { hsts, answerFields } = options;
  const secure = 'if { var(txn.scheme) -m str https } !{ res.fhdr_cnt(Strict-Transport-Security) gt 0 }';
  return [
    ...locationLines(options),
    ...(hsts ? [`http-response set-header Strict-Transport-Security max-age=15768000 ${secure}`] : []),
    ...(answerFields === undefined ? [] : editLines('response', answerFields)),
  ];
}

function pathLines(rewrite: PathRewrite, prefix: string): readonly string[] {
  if ('prefix' in rewrite) return exchangeLines(prefix, rewrite.prefix);
  if ('from' in rewrite) return byteLines(rewrite.from, rewrite.to);
  const read = loosePcreOf(rewrite.regex);
  if ('fault' in read) return [];
  // The whole value is replaced, so what is around the first match is kept as groups of its own.
  const groups = rewrite.with.replace(/\$(\d+)/g, (_, number: string) => `\\${Number(number) + 2}`);
  const text = groups.replaceAll('%', '%%');
  return [
    `http-request replace-path ${word(`^(.*?)(${read.pattern})(.*)$`)} ${word(`\\1${text}\\${groupsIn(read.pattern) + 3}`)}`,
    "http-request set-path '/%[path,ltrim(/)]'",
  ];
}

function groupsIn(pattern: string): number {
  const plain = pattern.replace(/\\./g, '').replace(/\[[^\]]*\]/g, '');
  return plain.match(/\((?!\?)/g)?.length ?? 0;
}

/** A prefix of whole segments in place of another; a path that does not begin so stays. */
function exchangeLines(from: string, to: string): readonly string[] {
  const prefix = from.replace(/\/+$/, '');
  const base = literal(to.replace(/\/+$/, ''));
  return [
    'http-request set-var(txn.was) path',
    ...equalAcl('whole', 'var(txn.was)', prefix),
    ...acl('below', 'var(txn.was)', [`${prefix}/`], 'beg'),
    ...(prefix === '' ? [] : [`http-request set-path ${word(literal(to))} if whole`]),
    `http-request set-path ${word(`${base}%[var(txn.was),bytes(${prefix.length})]`)} if below`,
  ];
}

/** These characters at the front, whether a segment ends there or not; then exactly one slash (ingress.md A6). */
function byteLines(from: string, to: string): readonly string[] {
  return [
    ...acl('begins', 'path', [from], 'beg'),
    `http-request set-var-fmt(txn.was) ${word(`/${literal(to)}%[path,bytes(${from.length})]`)} if begins`,
    "http-request set-path '/%[var(txn.was),ltrim(/)]' if { var(txn.was) -m found }",
  ];
}

function editLines(
  kind: 'request' | 'response',
  { remove = [], set = {}, add = {} }: FieldEdits,
): readonly string[] {
  const named = (verb: string, fields: Readonly<Record<string, string>>) =>
    Object.entries(fields).map(
      ([name, value]) => `http-${kind} ${verb} ${word(name)} ${word(literal(value))}`,
    );
  return [
    ...remove.map((name) => `http-${kind} del-header ${word(name)}`),
    ...named('set-header', set),
    ...named('add-header', add),
  ];
}

/** A `Location` that leads back here, as the public must see it. */
function locationLines({ rewriteLocation, locationPrefix }: RouteOptions): readonly string[] {
  if (rewriteLocation === undefined && locationPrefix === undefined) return [];
  const { from, to } = rewriteLocation ?? { from: '/', to: '' };
  const front = rewriteLocation === undefined ? (locationPrefix ?? '').replace(/\/+$/, '') : to;
  const kept = rewriteLocation === undefined ? 0 : from.length;
  const result = `${literal(front)}%[var(txn.place),bytes(${kept})]`;
  return [
    'http-response set-var(txn.leads) res.hdr(location)',
    'http-response set-var(txn.place) var(txn.leads) if { var(txn.leads) -m reg ^/(?!/) }',
    "acl absolute var(txn.leads) -m reg -i -- '^https?://[^/?#]+/(?!/)'",
    'acl ours var(txn.leads),field(3,/),host_only,lower,strcmp(txn.bare_lower) eq 0',
    "http-response set-var(txn.place) var(txn.leads),regsub('^[^/]*//[^/]*','') if absolute ours",
    ...acl('moved', 'var(txn.place)', [from], 'beg'),
    `http-response set-var-fmt(txn.leads) ${word(result)} if moved`,
    ...(rewriteLocation === undefined
      ? ["http-response set-header Location '%[var(txn.leads)]' if moved"]
      : ["http-response set-header Location '/%[var(txn.leads),ltrim(/)]' if moved"]),
  ];
}
