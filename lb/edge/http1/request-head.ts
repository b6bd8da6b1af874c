import { CR, LF, SP, targetByte, tokenByte } from './characters.ts';
import { isFault, type MessageFacts, readFacts } from './facts.ts';
import { type Fault, faults } from './fault.ts';
import { type FieldTable, fieldNames, INCOMPLETE, REFUSED, scanFields } from './fields.ts';
import { type Host, parseHost } from './host.ts';

/** One request's head. `text` is the head as it came, one character per byte; `fields` is valid until the next scan. */
export type RequestHead = MessageFacts & {
  readonly text: string;
  readonly fields: FieldTable;
  readonly method: string;
  /** Origin form or `*`: what goes to the next hop. */
  readonly target: string;
  /** The target without its query; `*` counts as `/`. */
  readonly path: string;
  /** Undefined only for an HTTP/1.0 request that names none. */
  readonly host: Host | undefined;
  /** It came in absolute form, or with unusual blanks around Host: request line and Host must be written anew. */
  readonly absolute: boolean;
  readonly minor: 0 | 1;
  /** Offset of the first field line in `text`. */
  readonly fieldsStart: number;
  readonly expectContinue: boolean;
};

/** Where the parts of a request line are, relative to the head; filled by `scanRequest`. */
export type RequestScan = {
  readonly fields: FieldTable;
  methodEnd: number;
  targetEnd: number;
  fieldsStart: number;
  minor: 0 | 1;
};

export function requestScan(fields: FieldTable): RequestScan {
  return { fields, methodEnd: 0, targetEnd: 0, fieldsStart: 0, minor: 1 };
}

/** One pass over a request's head (RFC 9112 §3, §5). The offset after it, INCOMPLETE, or REFUSED with `fields.fault`. */
export function scanRequest(buffer: Buffer, start: number, end: number, scan: RequestScan): number {
  scan.fields.clear();
  const fieldsAt = scanRequestLine(buffer, start, end, scan);
  if (fieldsAt < 0) return fieldsAt;
  scan.fieldsStart = fieldsAt - start;
  return scanFields(buffer, start, fieldsAt, end, scan.fields);
}

/** What a scanned head means, or the fault that makes it refused. */
export function readRequest(text: string, scan: RequestScan): RequestHead | Fault {
  const { fields, minor, fieldsStart } = scan;
  const facts = readFacts(text, fields);
  if (isFault(facts)) return facts;
  if (minor === 0 && facts.chunked) return faults.transferEncoding;
  const hostField = readHostField(text, fields);
  if (hostField !== undefined && 'reason' in hostField) return hostField;
  if (hostField === undefined && minor === 1) return faults.noHost;
  const expectation = readExpectation(text, fields);
  if (expectation === undefined) return faults.expectation;
  const method = text.slice(0, scan.methodEnd);
  if (method === 'CONNECT') return faults.method;
  // RFC 9113 §11.6: never a request.
  if (method === 'PRI') return faults.firstLine;
  const target = readTarget(method, text.slice(scan.methodEnd + 1, scan.targetEnd), hostField);
  if ('reason' in target) return target;
  const expectContinue = expectation && minor === 1;
  // Field by field: spreading two objects costs more than reading the head.
  return {
    contentLength: facts.contentLength,
    chunked: facts.chunked,
    odd: facts.odd,
    close: facts.close,
    keepAlive: facts.keepAlive,
    upgrade: facts.upgrade,
    named: facts.named,
    target: target.target,
    path: target.path,
    host: target.host,
    absolute: target.absolute || !isHostPlain(text, fields),
    text,
    fields,
    method,
    minor,
    fieldsStart,
    expectContinue,
  };
}

function scanRequestLine(buffer: Buffer, start: number, end: number, scan: RequestScan): number {
  let i = start;
  while (i < end && tokenByte[buffer[i]!] !== 0) i++;
  if (i === end) return INCOMPLETE;
  if (buffer[i] !== SP || i === start) return refuse(scan, lineFault(buffer[i]!, faults.firstLine));
  scan.methodEnd = i++ - start;
  const targetStart = i;
  while (i < end && targetByte[buffer[i]!] === 1) i++;
  if (i === end) return INCOMPLETE;
  if (buffer[i] !== SP || i === targetStart) return refuse(scan, lineFault(buffer[i]!, faults.target));
  scan.targetEnd = i++ - start;
  return scanVersion(buffer, i, end, scan);
}

const expectName = fieldNames(['expect']);
const version = Buffer.from('HTTP/');

/** `HTTP/1.0` or `HTTP/1.1` and CRLF; another well-formed version is 505, anything else 400. */
function scanVersion(buffer: Buffer, at: number, end: number, scan: RequestScan): number {
  for (let i = 0; i < 10; i++) {
    if (at + i === end) return INCOMPLETE;
    if (!versionByteFits(buffer[at + i]!, i))
      return refuse(scan, lineFault(buffer[at + i]!, faults.firstLine));
  }
  const minor = buffer[at + 7]! - 48;
  if (buffer[at + 5] !== 49 || minor > 1) return refuse(scan, faults.version);
  scan.minor = minor === 0 ? 0 : 1;
  return at + 10;
}

function versionByteFits(byte: number, index: number): boolean {
  if (index < 5) return byte === version[index];
  if (index === 6) return byte === 46;
  if (index === 8) return byte === CR;
  if (index === 9) return byte === LF;
  return byte >= 48 && byte <= 57;
}

function lineFault(byte: number, otherwise: Fault): Fault {
  return byte === LF ? faults.bareLineFeed : otherwise;
}

function refuse(scan: RequestScan, fault: Fault): number {
  scan.fields.fault = fault;
  return REFUSED;
}

function readHostField(text: string, fields: FieldTable): Host | Fault | undefined {
  let host: Host | undefined;
  for (let i = 0; i < fields.count; i++) {
    if (fields.kind(i) !== 'host') continue;
    if (host !== undefined) return faults.twoHosts;
    host = parseHost(fields.value(text, i));
    if (host === undefined) return faults.host;
  }
  return host;
}

/** As everybody writes it; also where there is none. */
function isHostPlain(text: string, fields: FieldTable): boolean {
  for (let i = 0; i < fields.count; i++) if (fields.kind(i) === 'host') return fields.isPlain(text, i);
  return true;
}

/** Whether `100-continue` is expected; undefined for any other expectation (RFC 9110 §10.1.1). */
function readExpectation(text: string, fields: FieldTable): boolean | undefined {
  if (!fields.hasAny(expectName)) return false;
  let expected = false;
  for (let i = 0; i < fields.count; i++) {
    if (fields.kind(i) !== 'expect') continue;
    if (fields.value(text, i).toLowerCase() !== '100-continue') return undefined;
    expected = true;
  }
  return expected;
}

type Target = Pick<RequestHead, 'target' | 'path' | 'host' | 'absolute'>;

/** RFC 9112 §3.2. An absolute form is turned into the origin form, and its authority replaces Host (§3.2.2). */
function readTarget(method: string, target: string, host: Host | undefined): Target | Fault {
  if (target.charCodeAt(0) === 47) return { target, path: pathOf(target), host, absolute: false };
  if (target === '*')
    return method === 'OPTIONS' ? { target, path: '/', host, absolute: false } : faults.target;
  const match = /^https?:\/\/([^/?]*)(.*)$/i.exec(target);
  const authority = match === null ? undefined : parseHost(match[1]!);
  if (match === null || authority === undefined) return faults.target;
  const rest = match[2]!;
  if (rest === '' && method === 'OPTIONS') return { target: '*', path: '/', host: authority, absolute: true };
  const origin = rest.startsWith('/') ? rest : `/${rest}`;
  return { target: origin, path: pathOf(origin), host: authority, absolute: true };
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
