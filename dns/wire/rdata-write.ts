import { ipv4Number, ipv6Bytes } from './address.ts';
import { UnencodableError } from './errors.ts';
import type { ResourceRecord, SoaRecord, SrvRecord, TxtRecord } from './types.ts';
import { typeOf } from './types.ts';
import type { Writer } from './writer.ts';

/** Writes a record; when `to.overflowed` is set afterwards, a part of it is missing. */
export function writeRecord(to: Writer, record: ResourceRecord): void {
  to.name(record.name);
  to.u16(typeOf(record));
  to.u16(record.class);
  to.u32(record.ttl);
  to.u16(0);
  const start = to.at;
  writeData(to, record);
  if (to.overflowed) return;
  to.patchU16(start - 2, to.at - start);
}

function writeData(to: Writer, record: ResourceRecord): void {
  if (record.type === 'A') to.u32(ipv4Number(record.address));
  else if (record.type === 'AAAA') to.raw(ipv6Bytes(record.address));
  else if (record.type === 'SRV') writeSrv(to, record);
  else if (record.type === 'SOA') writeSoa(to, record);
  else if (record.type === 'TXT') writeStrings(to, record);
  else if (record.type === 'opaque') to.raw(record.data);
  else to.name(record.target);
}

function writeSrv(to: Writer, srv: SrvRecord): void {
  to.u16(srv.priority);
  to.u16(srv.weight);
  to.u16(srv.port);
  // RFC 2782: the target is not compressed
  to.wholeName(srv.target);
}

function writeSoa(to: Writer, soa: SoaRecord): void {
  to.name(soa.mname);
  to.name(soa.rname);
  for (const value of [soa.serial, soa.refresh, soa.retry, soa.expire, soa.minimum]) to.u32(value);
}

function writeStrings(to: Writer, record: TxtRecord): void {
  for (const string of record.strings) {
    if (string.length > 255) {
      throw new UnencodableError(
        `Cannot encode a TXT record of ${record.name}: a string has ${string.length} bytes, at most 255 are allowed`,
      );
    }
    to.u8(string.length);
    to.raw(string);
  }
}
