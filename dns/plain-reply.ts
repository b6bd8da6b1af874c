import { dataText } from './data-text.ts';
import type { Reply } from './handler.ts';
import { RCODE, type ResourceRecord, TYPE } from './wire/types.ts';

/** A record in words: `{ name: 'web.weir', type: 'A', ttl: 5, data: '100.64.0.7' }`; no trailing dots. */
export type PlainRecord = {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly data: string;
};

export type PlainReply = {
  /** `NOERROR`, `NXDOMAIN`, `REFUSED`, … */
  readonly rcode: string;
  readonly authoritative: boolean;
  readonly answers: readonly PlainRecord[];
  readonly authorities: readonly PlainRecord[];
  readonly additionals: readonly PlainRecord[];
};

export function plainReply(reply: Reply): PlainReply {
  return {
    rcode: codeName(reply.rcode),
    authoritative: reply.authoritative,
    answers: reply.answers.map(plainRecord),
    authorities: reply.authorities.map(plainRecord),
    additionals: reply.additionals.map(plainRecord),
  };
}

export function codeName(rcode: number): string {
  return Object.entries(RCODE).find(([, code]) => code === rcode)?.[0] ?? `RCODE${rcode}`;
}

/** `A`, `TYPE999`. */
export function typeName(type: number): string {
  return Object.entries(TYPE).find(([, number]) => number === type)?.[0] ?? `TYPE${type}`;
}

/** `a`, `SRV`, `TYPE33` or `33` to its number; undefined for a type nobody named. */
export function typeNumber(text: string): number | undefined {
  const name = text.toUpperCase();
  const known = Object.entries(TYPE).find(([key]) => key === name)?.[1];
  const digits = /^(?:TYPE)?(\d{1,5})$/.exec(name)?.[1];
  const number = known ?? (digits === undefined ? undefined : Number(digits));
  return number === undefined || number > 65_535 ? undefined : number;
}

export function plainRecord(record: ResourceRecord): PlainRecord {
  const type = record.type === 'opaque' ? `TYPE${record.code}` : record.type;
  return { name: record.name, type, ttl: record.ttl, data: dataText(record) };
}
