import type { Framing } from '../http1/body.ts';
import { type FieldName, type FieldNames, fieldNames, knownNames } from '../http1/fields.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import type { FieldChanges } from '../routes/field-changes.ts';
import { stickyCookie } from '../routes/sticky.ts';
import type { ContentCoding } from './accept-encoding.ts';

/** What an endpoint is told about the client. */
export type ForwardedClient = {
  /** Without an IPv4-mapped prefix. */
  readonly address: string;
  readonly scheme: 'http' | 'https';
  /** The port the client connected to. */
  readonly port: number;
  /** It is a proxy whose own X-Forwarded-* fields are believed. */
  readonly trusted: boolean;
  /** The lines that are the same for all its requests, unless it is trusted: made once for a connection. */
  readonly forwarded: string;
  /** It speaks HTTP/2. */
  readonly http2?: true;
};

export type ForwardFacts = {
  readonly client: ForwardedClient;
  readonly requestId: string;
  /** The protocol of an upgrade that is let through; undefined: none. */
  readonly upgrade: string | undefined;
  /** Host as the client wrote it, even if the service is told another. */
  readonly hostText: string | undefined;
  /** Replaces what the client sent as Cookie (empty: none); undefined: it stays. */
  readonly cookie: string | undefined;
  /** Fields that the route leaves out and adds. */
  readonly changes: FieldChanges | undefined;
};

const none: ReadonlySet<string> = new Set();

/** Fields about one connection only (RFC 9110 §7.6.1). */
const hopByHop: readonly FieldName[] = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'upgrade',
  'http2-settings',
];

const fromTrusted: readonly FieldName[] = [...hopByHop, 'x-forwarded-for', '(impostor)'];
const fromAnyone: readonly FieldName[] = [
  ...hopByHop,
  '(impostor)',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
];

/** What is dropped, by case: looked up for every field of every message. */
const dropped = {
  fromTrusted: fieldNames(fromTrusted),
  fromAnyone: fieldNames(fromAnyone),
  fromServer: fieldNames(hopByHop),
  unchunked: fieldNames([...hopByHop, 'transfer-encoding']),
  unframed: fieldNames([...hopByHop, 'transfer-encoding', 'content-length']),
  recoded: fieldNames([
    ...hopByHop,
    'transfer-encoding',
    'content-length',
    'trailer',
    'etag',
    'vary',
    'accept-ranges',
  ]),
  fromSwitch: fieldNames([
    ...hopByHop.filter((name) => name !== 'upgrade'),
    'content-length',
    'transfer-encoding',
  ]),
  fromInterim: fieldNames(knownNames.filter((name) => name !== 'other')),
} as const;

const locationName = fieldNames(['location']);
const dateName = fieldNames(['date']);

/** The head for the endpoint. What need not change is copied in one piece, in the order and spelling it came. */
export function forwardRequest(head: RequestHead, facts: ForwardFacts): string {
  const kept = keptFields(head, droppedOfRequest(head, facts), facts.changes?.drop);
  const added = facts.changes?.lines ?? '';
  const version = facts.client.http2 === true ? '2.0' : head.minor === 1 ? '1.1' : '1.0';
  return `${requestLine(head)}${kept}${forwardedFields(head, facts)}${framingOf(head)}${connectionOf(facts)}${cookieOf(facts)}${added}Via: ${version} weir\r\n\r\n`;
}

export type AnswerFacts = {
  readonly framing: Framing;
  /** The client speaks HTTP/1.0 and cannot read chunks. */
  readonly clientMinor: 0 | 1;
  /** The client's connection is kept for another request. */
  readonly keepAlive: boolean;
  /** Undefined: the answer passes as it is. */
  readonly edits: AnswerEdits | undefined;
  /** The endpoint's name in cookies; read only with edits. */
  readonly endpoint: string;
  /** How the edge codes the content; undefined: not at all. */
  readonly encoding: ContentCoding | undefined;
  /** Of an answer that has none; undefined: whoever writes the head sees to it. */
  readonly date: { readonly line: string } | undefined;
};

/** What a route changes about its answers. */
export type AnswerEdits = {
  readonly hsts: boolean;
  /** Turns a Location of the service into the public's; undefined: it stays. */
  readonly location: ((location: string) => string) | undefined;
  /** Whoever sent this cookie value need not be told it again; undefined: clients do not stay. */
  readonly sticky: { readonly sent: string | undefined; readonly name: string | undefined } | undefined;
  readonly changes: FieldChanges | undefined;
};

/** The head for the client of a final answer. */
export function forwardResponse(head: ResponseHead, facts: AnswerFacts): string {
  return `${statusLine(head)}${answerFields(head, facts)}${persistence(facts)}\r\n`;
}

/** The field lines for the client of a final answer, but those about its connection. */
export function answerFields(head: ResponseHead, facts: AnswerFacts): string {
  const { edits, encoding } = facts;
  const kept = keptFields(head, droppedOfAnswer(head, facts), edits?.changes?.drop);
  const edited = edits === undefined ? '' : editedFields(head, edits, facts.endpoint);
  const coded = encoding === undefined ? '' : codedFields(head, encoding, facts.clientMinor);
  return `${kept}${edited}${coded}${dateOf(head, facts)}Via: 1.${head.minor} weir\r\n`;
}

/** RFC 9110 §6.6.1: who hands an answer on dates it, unless the service or the route did. */
function dateOf(head: ResponseHead, { date, edits }: AnswerFacts): string {
  if (date === undefined || head.fields.hasAny(dateName)) return '';
  return edits?.changes !== undefined && /^date:/im.test(edits.changes.lines) ? '' : date.line;
}

/** The head of an interim answer (1xx but 101). */
export function forwardInterim(head: ResponseHead): string {
  return `${statusLine(head)}${interimFields(head)}\r\n`;
}

export function interimFields(head: ResponseHead): string {
  return keptFields(head, dropped.fromInterim);
}

/** The head of the 101 that turns the connection into a tunnel. */
export function forwardSwitch(head: ResponseHead): string {
  const kept = keptFields(head, dropped.fromSwitch);
  return `${statusLine(head)}${kept}Connection: upgrade\r\nVia: 1.1 weir\r\n\r\n`;
}

function droppedOfRequest(head: RequestHead, { client: { trusted }, cookie }: ForwardFacts): FieldNames {
  const usual = trusted ? dropped.fromTrusted : dropped.fromAnyone;
  const expects = head.minor === 0 && !head.expectContinue;
  if (!head.absolute && !expects && !head.odd && cookie === undefined) return usual;
  const also: readonly FieldName[] = [
    ...(head.absolute ? (['host'] as const) : []),
    ...(expects ? (['expect'] as const) : []),
    ...(head.odd ? (['content-length', 'transfer-encoding'] as const) : []),
    ...(cookie === undefined ? [] : (['cookie'] as const)),
  ];
  return fieldNames([...(trusted ? fromTrusted : fromAnyone), ...also]);
}

function droppedOfAnswer(head: ResponseHead, { clientMinor, edits, encoding }: AnswerFacts): FieldNames {
  const usual = encoding === undefined ? droppedByFraming(head, clientMinor) : dropped.recoded;
  if (edits?.location === undefined) return usual;
  return usual | locationName;
}

/** What coding the content changes (RFC 9110 §8.4, §8.8.3): it has no length yet, and another strong validator. */
function codedFields(head: ResponseHead, encoding: ContentCoding, clientMinor: 0 | 1): string {
  const tag = firstValue(head, 'etag');
  const validator = tag === undefined ? '' : `ETag: ${tag.startsWith('W/') ? tag : `W/${tag}`}\r\n`;
  const vary = valuesOf(head, 'vary');
  const varies = vary === '' ? 'Accept-Encoding' : `${vary}, Accept-Encoding`;
  const framing = clientMinor === 1 ? 'Transfer-Encoding: chunked\r\n' : '';
  return `Content-Encoding: ${encoding}\r\nVary: ${varies}\r\n${validator}${framing}`;
}

function droppedByFraming(head: ResponseHead, clientMinor: 0 | 1): FieldNames {
  if (head.status === 204 || head.status < 200) return dropped.unframed;
  return clientMinor === 0 ? dropped.unchunked : dropped.fromServer;
}

function editedFields(head: ResponseHead, edits: AnswerEdits, endpoint: string): string {
  const location = edits.location && firstValue(head, 'location');
  let text = '';
  if (location !== undefined) text += `Location: ${edits.location?.(location)}\r\n`;
  if (edits.hsts && firstValue(head, 'strict-transport-security') === undefined)
    text += 'Strict-Transport-Security: max-age=15768000\r\n';
  if (edits.sticky !== undefined && edits.sticky.sent !== endpoint)
    text += `Set-Cookie: ${edits.sticky.name ?? stickyCookie}=${endpoint}; Path=/\r\nCache-Control: private\r\n`;
  return text + (edits.changes?.lines ?? '');
}

function keptFields(
  head: RequestHead | ResponseHead,
  drop: FieldNames,
  also: ReadonlySet<string> = none,
): string {
  const { text, fields, named } = head;
  const byName = named.size > 0 || also.size > 0;
  if (!byName && !fields.hasAny(drop)) return text.slice(head.fieldsStart, -2);
  let kept = '';
  let from = head.fieldsStart;
  for (let i = 0; i < fields.count; i++) {
    const isNamed = byName && isIn(fields.name(text, i).toLowerCase(), named, also);
    if (!isNamed && !fields.isIn(drop, i)) continue;
    kept += text.slice(from, fields.lineStart(i));
    from = fields.lineEnd(i);
  }
  // The head ends with the empty line, which is written anew.
  return kept + text.slice(from, -2);
}

/** Also by a name that a service may take for it (see `(impostor)`): what a route sets or takes away must not come back as another. */
function isIn(name: string, one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.has(name) || other.has(name) || (name.includes('_') && other.has(name.replaceAll('_', '-')));
}

function requestLine(head: RequestHead): string {
  if (!head.absolute && head.minor === 1) return head.text.slice(0, head.fieldsStart);
  const line = `${head.method} ${head.target} HTTP/1.1\r\n`;
  return head.absolute && head.host !== undefined ? `${line}Host: ${head.host.text}\r\n` : line;
}

function forwardedFields(head: RequestHead, { client, hostText, requestId }: ForwardFacts): string {
  if (client.trusted) return trustedFields(head, { client, hostText, requestId });
  const host = hostText === undefined ? '' : `X-Forwarded-Host: ${hostText}\r\n`;
  return `${client.forwarded}${host}X-Request-Id: ${requestId}\r\n`;
}

/** What a trusted proxy has said already is not said again. */
function trustedFields(
  head: RequestHead,
  { client, hostText, requestId }: Pick<ForwardFacts, 'client' | 'hostText' | 'requestId'>,
): string {
  const before = valuesOf(head, 'x-forwarded-for');
  let text = `X-Forwarded-For: ${before === '' ? client.address : `${before}, ${client.address}`}\r\n`;
  if (!has(head, 'x-forwarded-proto')) text += `X-Forwarded-Proto: ${client.scheme}\r\n`;
  if (!has(head, 'x-forwarded-port')) text += `X-Forwarded-Port: ${client.port}\r\n`;
  if (hostText !== undefined && !has(head, 'x-forwarded-host')) text += `X-Forwarded-Host: ${hostText}\r\n`;
  if (!has(head, 'x-request-id')) text += `X-Request-Id: ${requestId}\r\n`;
  return text;
}

/** A length or coding that came in an unusual way, as everybody writes it. */
function framingOf({ odd, chunked, contentLength }: RequestHead): string {
  if (!odd) return '';
  return chunked ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${contentLength}\r\n`;
}

function connectionOf(facts: ForwardFacts): string {
  return facts.upgrade === undefined ? '' : `Connection: upgrade\r\nUpgrade: ${facts.upgrade}\r\n`;
}

function cookieOf({ cookie }: ForwardFacts): string {
  return cookie === undefined || cookie === '' ? '' : `Cookie: ${cookie}\r\n`;
}

function statusLine(head: ResponseHead): string {
  const asItCame = head.minor === 1 && head.text.charCodeAt(12) === 32;
  return asItCame ? head.text.slice(0, head.fieldsStart) : `HTTP/1.1 ${head.status} ${head.phrase}\r\n`;
}

function persistence(facts: AnswerFacts): string {
  if (!facts.keepAlive) return 'Connection: close\r\n';
  return facts.clientMinor === 0 ? 'Connection: keep-alive\r\n' : '';
}

export function firstValue(head: ResponseHead, kind: FieldName): string | undefined {
  for (let i = 0; i < head.fields.count; i++)
    if (head.fields.kind(i) === kind) return head.fields.value(head.text, i);
  return undefined;
}

function has(head: RequestHead, kind: FieldName): boolean {
  for (let i = 0; i < head.fields.count; i++) if (head.fields.kind(i) === kind) return true;
  return false;
}

/** All values of any field, by its name in lower case, joined; undefined: it is not there. */
export function fieldValue(head: RequestHead, name: string): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i < head.fields.count; i++) {
    if (head.fields.name(head.text, i).toLowerCase() !== name) continue;
    const value = head.fields.value(head.text, i);
    joined = joined === undefined ? value : `${joined}, ${value}`;
  }
  return joined;
}

/** All values of a list field, joined (RFC 9110 §5.3). */
export function valuesOf(head: RequestHead | ResponseHead, kind: FieldName, separator = ', '): string {
  let joined = '';
  for (let i = 0; i < head.fields.count; i++) {
    if (head.fields.kind(i) !== kind) continue;
    const value = head.fields.value(head.text, i);
    joined = joined === '' ? value : `${joined}${separator}${value}`;
  }
  return joined;
}
