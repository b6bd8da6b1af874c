import { ipv4Text, ipv6Text } from './address.ts';
import type { Reader } from './reader.ts';
import type { ResourceRecord } from './types.ts';
import { CLASS, TYPE } from './types.ts';

export type RecordHead = {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly dataEnd: number;
};

/** Reads the data of a record; undefined when it is malformed or does not end at `dataEnd`. */
export function readData(from: Reader, head: RecordHead): ResourceRecord | undefined {
  const record = head.class === CLASS.IN ? readKnown(from, head) : readOpaque(from, head);
  return from.failed || from.at !== head.dataEnd ? undefined : record;
}

function readKnown(from: Reader, head: RecordHead): ResourceRecord {
  const { name, class: klass, ttl } = head;
  const common = { name, class: klass, ttl };
  switch (head.type) {
    case TYPE.A:
      return { ...common, type: 'A', address: ipv4Text(from.bytes(4), 0) };
    case TYPE.AAAA:
      return { ...common, type: 'AAAA', address: ipv6Text(from.bytes(16), 0) };
    case TYPE.NS:
      return { ...common, type: 'NS', target: from.name() };
    case TYPE.CNAME:
      return { ...common, type: 'CNAME', target: from.name() };
    case TYPE.PTR:
      return { ...common, type: 'PTR', target: from.name() };
    case TYPE.SRV:
      return { ...common, type: 'SRV', ...readSrv(from) };
    case TYPE.SOA:
      return { ...common, type: 'SOA', ...readSoa(from) };
    case TYPE.TXT:
      return { ...common, type: 'TXT', strings: readStrings(from, head.dataEnd) };
    default:
      return readOpaque(from, head);
  }
}

function readSrv(from: Reader) {
  return { priority: from.u16(), weight: from.u16(), port: from.u16(), target: from.name() };
}

function readSoa(from: Reader) {
  return {
    mname: from.name(),
    rname: from.name(),
    serial: from.u32(),
    refresh: from.u32(),
    retry: from.u32(),
    expire: from.u32(),
    minimum: from.u32(),
  };
}

function readStrings(from: Reader, end: number): Uint8Array[] {
  const strings: Uint8Array[] = [];
  while (from.at < end && !from.failed) strings.push(from.bytes(from.u8()));
  return strings;
}

function readOpaque(from: Reader, head: RecordHead): ResourceRecord {
  const { name, class: klass, ttl, type: code } = head;
  const fields = head.dataEnd === from.at ? undefined : FIELDS[code];
  const data = fields ? expand(from, fields, head.dataEnd) : from.bytes(head.dataEnd - from.at);
  return { name, class: klass, ttl, type: 'opaque', code, data };
}

/** A number of bytes, a name, a length-prefixed string, or all that is left. */
type Field = number | 'name' | 'string' | 'rest';

/**
 * Types whose data may hold compressed names (RFC 3597 section 4 and the types it lists). Their pointers mean nothing
 * outside the packet they came in, so the names are written out.
 */
const FIELDS: Readonly<Record<number, readonly Field[]>> = {
  2: ['name'], // NS
  3: ['name'], // MD
  4: ['name'], // MF
  5: ['name'], // CNAME
  6: ['name', 'name', 20], // SOA
  7: ['name'], // MB
  8: ['name'], // MG
  9: ['name'], // MR
  12: ['name'], // PTR
  14: ['name', 'name'], // MINFO
  15: [2, 'name'], // MX
  17: ['name', 'name'], // RP
  18: [2, 'name'], // AFSDB
  21: [2, 'name'], // RT
  24: [18, 'name', 'rest'], // SIG
  26: [2, 'name', 'name'], // PX
  30: ['name', 'rest'], // NXT
  33: [6, 'name'], // SRV
  35: [4, 'string', 'string', 'string', 'name'], // NAPTR
  36: [2, 'name'], // KX
  39: ['name'], // DNAME
};

function expand(from: Reader, fields: readonly Field[], end: number): Uint8Array {
  const parts = fields.map((field) => {
    if (field === 'name') return from.rawName();
    if (field === 'string') return readString(from);
    return from.bytes(field === 'rest' ? Math.max(0, end - from.at) : field);
  });
  return Buffer.concat(parts);
}

/** A character string with its length byte. */
function readString(from: Reader): Uint8Array {
  const length = from.u8();
  if (from.failed) return from.bytes(0);
  from.at -= 1;
  return from.bytes(length + 1);
}
