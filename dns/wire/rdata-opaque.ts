import type { Reader, RecordHead } from './reader.ts';
import type { OpaqueRecord } from './types.ts';

/** Reads the data of a record whose type or class has no shape of its own. */
export function readOpaque(from: Reader, head: RecordHead): OpaqueRecord {
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
