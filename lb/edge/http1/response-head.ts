import { CR, LF, SP, valueByte } from './characters.ts';
import { isFault, type MessageFacts, readFacts } from './facts.ts';
import { type Fault, faults } from './fault.ts';
import { type FieldTable, fieldNames, INCOMPLETE, REFUSED, scanFields } from './fields.ts';

/** One response's head. `text` and `fields` as in RequestHead. */
export type ResponseHead = MessageFacts & {
  readonly text: string;
  readonly fields: FieldTable;
  readonly status: number;
  readonly minor: 0 | 1;
  /** The words after the status; may be empty. */
  readonly phrase: string;
  readonly fieldsStart: number;
  /** Seconds of `Keep-Alive: timeout=`: how long the server promises to keep the connection; undefined when silent. */
  readonly keepAliveSeconds: number | undefined;
};

export type ResponseScan = { readonly fields: FieldTable; fieldsStart: number };

const keepAliveName = fieldNames(['keep-alive']);
const prefix = Buffer.from('HTTP/1.');

/** One pass over a response's head (RFC 9112 §4, §5). The offset after it, INCOMPLETE, or REFUSED with `fields.fault`. */
export function scanResponse(buffer: Buffer, start: number, end: number, scan: ResponseScan): number {
  scan.fields.clear();
  const fieldsAt = scanStatusLine(buffer, start, end, scan);
  if (fieldsAt < 0) return fieldsAt;
  scan.fieldsStart = fieldsAt - start;
  return scanFields(buffer, start, fieldsAt, end, scan.fields);
}

/** What a scanned head means, or the fault that makes the server's answer unusable. */
export function readResponse(text: string, scan: ResponseScan): ResponseHead | Fault {
  const { fields, fieldsStart } = scan;
  const facts = readFacts(text, fields);
  if (isFault(facts)) return facts;
  return {
    contentLength: facts.contentLength,
    chunked: facts.chunked,
    odd: facts.odd,
    close: facts.close,
    keepAlive: facts.keepAlive,
    upgrade: facts.upgrade,
    named: facts.named,
    text,
    fields,
    status: (text.charCodeAt(9) - 48) * 100 + (text.charCodeAt(10) - 48) * 10 + text.charCodeAt(11) - 48,
    minor: text.charCodeAt(7) === 48 ? 0 : 1,
    phrase: text.slice(13, fieldsStart - 2),
    fieldsStart,
    keepAliveSeconds: readKeepAlive(text, fields),
  };
}

/** `HTTP/1.x SP 3DIGIT [SP reason] CRLF`. A missing second space is let pass: many servers leave it out. */
function scanStatusLine(buffer: Buffer, start: number, end: number, scan: ResponseScan): number {
  for (let i = 0; i < 12; i++) {
    if (start + i === end) return INCOMPLETE;
    if (!statusByteFits(buffer[start + i]!, i)) return refuse(scan, faults.firstLine);
  }
  let i = start + 12;
  if (i < end && buffer[i] !== SP && buffer[i] !== CR) return refuse(scan, faults.firstLine);
  while (i < end && valueByte[buffer[i]!] === 1) i++;
  if (i === end || (buffer[i] === CR && i + 1 === end)) return INCOMPLETE;
  if (buffer[i] !== CR) return refuse(scan, faults.bareLineFeed);
  return buffer[i + 1] === LF ? i + 2 : refuse(scan, faults.bareReturn);
}

function statusByteFits(byte: number, index: number): boolean {
  if (index < 7) return byte === prefix[index];
  if (index === 7) return byte === 48 || byte === 49;
  if (index === 8) return byte === SP;
  if (index === 9) return byte >= 49 && byte <= 57;
  return byte >= 48 && byte <= 57;
}

function refuse(scan: ResponseScan, fault: Fault): number {
  scan.fields.fault = fault;
  return REFUSED;
}

function readKeepAlive(text: string, fields: FieldTable): number | undefined {
  if (!fields.hasAny(keepAliveName)) return undefined;
  for (let i = 0; i < fields.count; i++) {
    if (fields.kind(i) !== 'keep-alive') continue;
    const match = /timeout=(\d{1,6})/i.exec(fields.value(text, i));
    if (match !== null) return Number(match[1]);
  }
  return undefined;
}
