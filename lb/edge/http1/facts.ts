import { withoutBlanks } from './characters.ts';
import { type Fault, faults } from './fault.ts';
import { type FieldTable, fieldNames } from './fields.ts';

/** What the fields of a head say about framing and the connection (RFC 9112 §6, §9). */
export type MessageFacts = {
  /** Bytes; undefined when the head names no length. */
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  /** The length or coding is written in another way than everybody writes it: whoever hands it on writes it anew. */
  readonly odd: boolean;
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** `upgrade` is named in Connection. */
  readonly upgrade: boolean;
  /** Field names listed in Connection beyond the well-known ones, lower case: they end here (RFC 9110 §7.6.1). */
  readonly named: ReadonlySet<string>;
};

/** Naming one of these in Connection would change what the next hop understands of the message. */
const neverHopByHop = new Set(['host', 'content-length', 'transfer-encoding', 'trailer', 'expect']);
const none: ReadonlySet<string> = new Set();
const framingNames = fieldNames(['content-length', 'transfer-encoding', 'connection']);
const nothingSaid: MessageFacts = {
  ...{ contentLength: undefined, chunked: false, odd: false, close: false, keepAlive: false, upgrade: false },
  named: none,
};
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** The facts of a head, or the fault that makes it ambiguous. Both lengths, or one length twice, is a fault. */
export function readFacts(head: string, fields: FieldTable): MessageFacts | Fault {
  if (!fields.hasAny(framingNames)) return nothingSaid;
  let contentLength: number | undefined;
  let chunked = false;
  let odd = false;
  let connection = '';
  for (let i = 0; i < fields.count; i++) {
    const kind = fields.kind(i);
    if (kind === 'content-length') {
      if (contentLength !== undefined || chunked) return faults.twoLengths;
      contentLength = parseLength(fields.value(head, i));
      if (contentLength === undefined || hasTab(head, fields, i)) return faults.contentLength;
      odd = !fields.isPlain(head, i) || `${contentLength}` !== fields.value(head, i);
    } else if (kind === 'transfer-encoding') {
      if (contentLength !== undefined || chunked) return faults.twoLengths;
      const fault = codingFault(fields.value(head, i));
      if (fault !== undefined) return fault;
      if (hasTab(head, fields, i)) return faults.transferEncoding;
      chunked = true;
      odd = !fields.isPlain(head, i) || fields.value(head, i) !== 'chunked';
    } else if (kind === 'connection') {
      connection = connection === '' ? fields.value(head, i) : `${connection},${fields.value(head, i)}`;
    }
  }
  return withConnection(connection, { contentLength, chunked, odd });
}

/** Blanks around a value are handed on as they came; around a length, tabs have hidden it from one of two servers. */
function hasTab(head: string, fields: FieldTable, index: number): boolean {
  return fields.blanks(head, index).includes('\t');
}

export function isFault(value: object): value is Fault {
  return 'reason' in value;
}

/** At most 15 digits, so that the number is exact. */
function parseLength(text: string): number | undefined {
  if (text === '' || text.length > 15) return undefined;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value;
}

function codingFault(value: string): Fault | undefined {
  const coding = value.toLowerCase();
  if (coding === 'chunked') return undefined;
  return /^[a-z]+([ \t]*,[ \t]*[a-z]+)*[ \t]*,[ \t]*chunked$/.test(coding) && !/chunked[ \t]*,/.test(coding)
    ? faults.coding
    : faults.transferEncoding;
}

function withConnection(
  connection: string,
  { contentLength, chunked, odd }: Pick<MessageFacts, 'contentLength' | 'chunked' | 'odd'>,
): MessageFacts | Fault {
  const facts = { contentLength, chunked, odd, close: false, keepAlive: false, upgrade: false, named: none };
  if (connection === '') return facts;
  const lower = connection.toLowerCase();
  if (lower === 'keep-alive') {
    facts.keepAlive = true;
    return facts;
  }
  const options = lower.split(',').map(withoutBlanks);
  const named = new Set(options.filter((option) => option !== ''));
  for (const option of named) {
    if (!tokenPattern.test(option) || neverHopByHop.has(option)) return faults.connection;
  }
  return {
    ...facts,
    close: named.delete('close'),
    keepAlive: named.delete('keep-alive'),
    upgrade: named.delete('upgrade'),
    named,
  };
}
