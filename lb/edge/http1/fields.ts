import { COLON, CR, HTAB, LF, nameByte, SP, valueByte } from './characters.ts';
import { type Fault, faults } from './fault.ts';

/** Field names the data path knows; all others are `other` and pass untouched. */
export const knownNames = [
  'other',
  'host',
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'forwarded',
  'date',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
  'http2-settings',
  'authorization',
  'cookie',
  'location',
  'strict-transport-security',
  'etag',
  'vary',
  'accept-ranges',
  'content-type',
  'content-encoding',
  'cache-control',
  /** What a service may take for another field: a known name with `_` for `-`, or `Proxy` (CVE-2016-5385). No name of its own. */
  '(impostor)',
] as const;

export type FieldName = (typeof knownNames)[number];

/** A set of field names: the bit of each name's place in `knownNames`, which has room for 32. */
export type FieldNames = number;

export function fieldNames(names: readonly FieldName[]): FieldNames {
  return names.reduce((set, name) => set | (1 << knownNames.indexOf(name)), 0);
}

/** What a scan answers instead of an offset. */
export const INCOMPLETE = -1;
export const REFUSED = -2;

const numbersPerField = 6;
const longestName = 32;
const UNDERSCORE = 95;

/**
 * The field lines of one head as offsets relative to the head's first byte. Reused from message to message, so that
 * reading a head allocates nothing: whoever needs a value longer copies it out.
 */
export class FieldTable {
  count = 0;
  /** The names that are there: spares whoever looks for one the way through all fields. */
  present: FieldNames = 0;
  fault: Fault = faults.fieldName;
  readonly #numbers: Int32Array;

  constructor(maxFields: number) {
    this.#numbers = new Int32Array(maxFields * numbersPerField);
  }

  get full(): boolean {
    return (this.count + 1) * numbersPerField > this.#numbers.length;
  }

  clear(): void {
    this.count = 0;
    this.present = 0;
  }

  add(
    kind: number,
    lineStart: number,
    nameEnd: number,
    valueStart: number,
    valueEnd: number,
    next: number,
  ): void {
    const at = this.count++ * numbersPerField;
    this.present |= 1 << kind;
    this.#numbers[at] = kind;
    this.#numbers[at + 1] = lineStart;
    this.#numbers[at + 2] = nameEnd;
    this.#numbers[at + 3] = valueStart;
    this.#numbers[at + 4] = valueEnd;
    this.#numbers[at + 5] = next;
  }

  kind(index: number): FieldName {
    return knownNames[this.#numbers[index * numbersPerField]!]!;
  }

  /** Whether the field's name is in `names`. */
  isIn(names: FieldNames, index: number): boolean {
    return (names & (1 << this.#numbers[index * numbersPerField]!)) !== 0;
  }

  /** Whether one of `names` is there. */
  hasAny(names: FieldNames): boolean {
    return (this.present & names) !== 0;
  }

  lineStart(index: number): number {
    return this.#numbers[index * numbersPerField + 1]!;
  }

  /** The offset after the line's CRLF. */
  lineEnd(index: number): number {
    return this.#numbers[index * numbersPerField + 5]!;
  }

  name(head: string, index: number): string {
    return head.slice(this.lineStart(index), this.#numbers[index * numbersPerField + 2]!);
  }

  value(head: string, index: number): string {
    const at = index * numbersPerField;
    return head.slice(this.#numbers[at + 3]!, this.#numbers[at + 4]!);
  }

  /** One space before the value and nothing after it. */
  isPlain(head: string, index: number): boolean {
    const at = index * numbersPerField;
    const blank = this.#numbers[at + 2]! + 1;
    const isOneSpace = this.#numbers[at + 3] === blank + 1 && head.charCodeAt(blank) === SP;
    return isOneSpace && this.#numbers[at + 4] === this.#numbers[at + 5]! - 2;
  }

  /** The blanks before and after the value. */
  blanks(head: string, index: number): string {
    const at = index * numbersPerField;
    const before = head.slice(this.#numbers[at + 2]! + 1, this.#numbers[at + 3]!);
    return before + head.slice(this.#numbers[at + 4]!, this.lineEnd(index) - 2);
  }
}

/**
 * Reads field lines from `at` up to and with the empty line, in one pass (RFC 9112 §5). Gives the offset after the
 * section, INCOMPLETE, or REFUSED with `table.fault`. Offsets in the table are relative to `base`.
 */
export function scanFields(buffer: Buffer, base: number, at: number, end: number, table: FieldTable): number {
  for (let line = at; ; ) {
    if (line === end) return INCOMPLETE;
    if (buffer[line] === CR) {
      if (line + 1 === end) return INCOMPLETE;
      return buffer[line + 1] === LF ? line + 2 : refuse(table, faults.bareReturn);
    }
    const next = scanField(buffer, base, line, end, table);
    if (next < 0) return next;
    line = next;
  }
}

function scanField(buffer: Buffer, base: number, line: number, end: number, table: FieldTable): number {
  let i = line;
  let hash = 0;
  for (; i < end; i++) {
    const lower = nameByte[buffer[i]!]!;
    if (lower === 0) break;
    hash = (Math.imul(hash, 31) + lower) | 0;
  }
  if (i === end) return INCOMPLETE;
  if (buffer[i] !== COLON || i === line) return refuse(table, nameFault(buffer[i]!, i === line));
  const nameEnd = i++;
  while (i < end && isBlank(buffer[i]!)) i++;
  const valueStart = i;
  while (i < end && valueByte[buffer[i]!] === 1) i++;
  if (i === end || (buffer[i] === CR && i + 1 === end)) return INCOMPLETE;
  if (buffer[i] !== CR) return refuse(table, buffer[i] === LF ? faults.bareLineFeed : faults.fieldValue);
  if (buffer[i + 1] !== LF) return refuse(table, faults.bareReturn);
  let valueEnd = i;
  while (valueEnd > valueStart && isBlank(buffer[valueEnd - 1]!)) valueEnd--;
  if (table.full) return refuse(table, faults.headTooLarge);
  const kind = kindOf(buffer, line, nameEnd, hash);
  table.add(kind, line - base, nameEnd - base, valueStart - base, valueEnd - base, i + 2 - base);
  return i + 2;
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === HTAB;
}

function nameFault(byte: number, atStart: boolean): Fault {
  if (byte === LF) return faults.bareLineFeed;
  if (!isBlank(byte)) return faults.fieldName;
  return atStart ? faults.fold : faults.spaceBeforeColon;
}

function refuse(table: FieldTable, fault: Fault): number {
  table.fault = fault;
  return REFUSED;
}

/** The one known name that a hash may belong to; a test keeps two names from sharing a place. */
const candidates = new Uint8Array(4_096);
/** The bytes of all known names, each at its own place: comparing bytes with bytes is cheaper than with a text. */
const nameBytes = new Uint8Array(knownNames.length * longestName);
const impostor = knownNames.indexOf('(impostor)');
const spelled = knownNames.with(impostor, 'proxy' as FieldName) as readonly string[];
for (const [kind, name] of spelled.entries()) {
  candidates[placeOf(hashOf(name))] = kind;
  nameBytes.set(Buffer.from(name), kind * longestName);
}

function placeOf(hash: number): number {
  return (hash ^ (hash >>> 12)) & 4_095;
}

function hashOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  return hash;
}

/** The hash finds the candidate, the bytes decide: a collision must not turn a stranger into `Content-Length`. */
function kindOf(buffer: Buffer, start: number, end: number, hash: number): number {
  const kind = candidates[placeOf(hash)]!;
  const length = end - start;
  if (kind === 0 || length !== spelled[kind]!.length) return 0;
  let found = kind;
  for (let i = 0, at = kind * longestName; i < length; i++) {
    const byte = buffer[start + i]!;
    if (nameByte[byte] !== nameBytes[at + i]) return 0;
    if (byte === UNDERSCORE) found = impostor;
  }
  return found;
}
