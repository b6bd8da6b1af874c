import dnsPacket from 'dns-packet';
import { Packet, type Resource } from 'dns2';
import type { Message, ResourceRecord } from '../types.ts';
import { typeOf } from '../types.ts';

/** A message as `field field …` lines, the form in which our codec and the oracles are compared. */
export type Lines = readonly string[];

export function ourLines(message: Message): Lines {
  const question = message.question;
  return [
    `${message.id} ${message.flags}`,
    ...(question ? [`? ${question.name} ${question.type}`] : []),
    ...message.answers.map(ourLine),
    '--',
    ...message.authorities.map(ourLine),
    '--',
    ...message.additionals.map(ourLine),
    ...(message.edns ? [`opt ${message.edns.udpSize} ${message.edns.flags}`] : []),
  ];
}

function ourLine(record: ResourceRecord): string {
  return `${record.name} ${typeOf(record)} ${record.ttl} ${ourData(record)}`;
}

function ourData(r: ResourceRecord): string {
  if (r.type === 'A') return r.address;
  if (r.type === 'AAAA') return canonical6(r.address);
  if (r.type === 'SRV') return `${r.priority} ${r.weight} ${r.port} ${r.target}`;
  if (r.type === 'SOA')
    return [r.mname, r.rname, r.serial, r.refresh, r.retry, r.expire, r.minimum].join(' ');
  if (r.type === 'TXT') return hex(Buffer.concat(r.strings));
  return r.type === 'opaque' ? hex(r.data) : r.target;
}

const CODES: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  NULL: 10,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  ANY: 255,
};

/** A packet as dns-packet reads it. */
export function dnsPacketLines(packet: Buffer): Lines {
  const read = dnsPacket.decode(packet);
  const flags = (read.flags ?? 0) | (read.type === 'response' ? 0x8000 : 0);
  return [
    `${read.id} ${flags}`,
    ...(read.questions ?? []).map((q) => `? ${q.name} ${CODES[q.type]}`),
    ...(read.answers ?? []).map(dnsPacketLine),
    '--',
    ...(read.authorities ?? []).map(dnsPacketLine),
    '--',
    ...(read.additionals ?? []).map(dnsPacketLine),
  ];
}

function dnsPacketLine(record: dnsPacket.Answer): string {
  if (record.type === 'OPT') return `opt ${record.udpPayloadSize} ${record.flags}`;
  return `${record.name} ${CODES[record.type]} ${'ttl' in record ? record.ttl : 0} ${dnsPacketData(record)}`;
}

function dnsPacketData(record: Exclude<dnsPacket.Answer, dnsPacket.OptAnswer>): string {
  const data: unknown = record.data;
  if (record.type === 'AAAA') return canonical6(String(data));
  if (Buffer.isBuffer(data)) return hex(data);
  if (Array.isArray(data)) return hex(Buffer.concat(data));
  if (record.type === 'SRV') {
    const { priority, weight, port, target } = record.data;
    return `${priority} ${weight} ${port} ${target}`;
  }
  if (record.type === 'SOA') {
    const { mname, rname, serial, refresh, retry, expire, minimum } = record.data;
    return [mname, rname, serial, refresh, retry, expire, minimum].join(' ');
  }
  return String(data);
}

/** The packet dns-packet makes of a message. */
export function dnsPacketEncode(message: Message): Buffer {
  const name = (code: number) => Object.keys(CODES).find((key) => CODES[key] === code) ?? '';
  const sections = [message.answers, message.authorities, message.additionals].map((records) =>
    records.map((record) => ({
      ...record,
      type: name(typeOf(record)),
      class: 'IN',
      data: oracleData(record),
    })),
  );
  const opt = message.edns && {
    type: 'OPT',
    name: '.',
    udpPayloadSize: message.edns.udpSize,
    flags: message.edns.flags,
    options: [],
  };
  const question = message.question;
  // built from our types, whose shapes the oracle's types do not follow
  return dnsPacket.encode({
    id: message.id,
    type: message.flags & 0x8000 ? 'response' : 'query',
    flags: message.flags & 0x7fff,
    questions: question ? [{ name: question.name, type: name(question.type), class: 'IN' }] : [],
    answers: sections[0],
    authorities: sections[1],
    additionals: [...(sections[2] ?? []), ...(opt ? [opt] : [])],
  } as dnsPacket.Packet);
}

function oracleData(record: ResourceRecord): unknown {
  if (record.type === 'A') return record.address;
  // its reader of IPv6 text gets unusual forms wrong
  if (record.type === 'AAAA') return canonical6(record.address);
  if (record.type === 'TXT') return record.strings.map((string) => Buffer.from(string));
  if (record.type === 'opaque') return Buffer.from(record.data);
  return 'target' in record && record.type !== 'SRV' ? record.target : record;
}

/** The names, types and addresses dns2 reads in a packet, by section. */
export function dns2Lines(packet: Buffer): Lines {
  const read = Packet.parse(packet);
  const lines = (records: readonly Resource[]) =>
    records.filter((r) => r.type !== 41).map((r) => `${r.name} ${r.type} ${r.ttl}${dns2Data(r)}`);
  return [
    `${read.header.id}`,
    ...lines(read.answers),
    '--',
    ...lines(read.authorities),
    '--',
    ...lines(read.additionals),
  ];
}

function dns2Data(record: Resource): string {
  const read: { address?: string; target?: string; port?: number; ns?: string; domain?: string } = record;
  if (record.type === 1) return ` ${read.address}`;
  if (record.type === 28) return ` ${canonical6(read.address ?? '')}`;
  if (record.type === 33) return ` ${read.port} ${read.target}`;
  if (record.type === 2) return ` ${read.ns}`;
  return record.type === 5 || record.type === 12 ? ` ${read.domain}` : '';
}

/** Our message in the form of `dns2Lines`. */
export function ourLinesForDns2(message: Message): Lines {
  const lines = (records: readonly ResourceRecord[]) =>
    records.map((r) => `${r.name} ${typeOf(r)} ${r.ttl}${dataForDns2(r)}`);
  return [
    `${message.id}`,
    ...lines(message.answers),
    '--',
    ...lines(message.authorities),
    '--',
    ...lines(message.additionals),
  ];
}

function dataForDns2(r: ResourceRecord): string {
  if (r.type === 'A') return ` ${r.address}`;
  if (r.type === 'AAAA') return ` ${canonical6(r.address)}`;
  if (r.type === 'SRV') return ` ${r.port} ${r.target}`;
  return r.type === 'NS' || r.type === 'CNAME' || r.type === 'PTR' ? ` ${r.target}` : '';
}

/** One text per address whatever its writer: the URL parser's. */
function canonical6(text: string): string {
  return new URL(`http://[${text}]/`).hostname.slice(1, -1);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
