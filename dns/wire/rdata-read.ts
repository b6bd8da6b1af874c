import { ipv4Text, ipv6Text } from './address.ts';
import { readOpaque } from './rdata-opaque.ts';
import type { Reader, RecordHead } from './reader.ts';
import type { ResourceRecord } from './types.ts';
import { CLASS, TYPE } from './types.ts';

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
