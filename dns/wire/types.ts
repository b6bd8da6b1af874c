/** Values of the DNS wire: numbers from the IANA registries, and the shapes the codec reads and writes. */

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export const CLASS = { IN: 1, CH: 3, NONE: 254, ANY: 255 } as const;

/** Values above 15 need an OPT in the reply: the upper eight bits travel there (RFC 6891 section 6.1.3). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

/** Bits of the second 16-bit word of the header. */
export const FLAG = {
  QR: 0x8000,
  AA: 0x0400,
  TC: 0x0200,
  RD: 0x0100,
  RA: 0x0080,
  AD: 0x0020,
  CD: 0x0010,
} as const;

export const HEADER_LENGTH = 12;
export const MAX_MESSAGE = 65_535;

/**
 * A domain name as text: ASCII letters in lower case, no trailing dot, the root is `''`. A dot or backslash inside a
 * label is `\.` or `\\`; any byte outside `!`..`~` is `\DDD` (three decimal digits). One name has one text, so names
 * are compared with `===` and used as keys.
 */
export type Name = string;

export type Question = {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** Name, type and class exactly as they were (or are to be) on the wire; its letter case wins over `name`. */
  readonly raw?: Uint8Array;
};

type Common = { readonly name: Name; readonly class: number /** seconds */; readonly ttl: number };

export type AddressRecord = Common & {
  /** Dotted quad for A, RFC 5952 text for AAAA. */
  readonly address: string;
} & ({ readonly type: 'A' } | { readonly type: 'AAAA' });
export type TargetRecord = Common & { readonly type: 'NS' | 'CNAME' | 'PTR'; readonly target: Name };
export type SrvRecord = Common & {
  readonly type: 'SRV';
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: Name;
};
export type SoaRecord = Common & {
  readonly type: 'SOA';
  readonly mname: Name;
  readonly rname: Name;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  readonly minimum: number;
};
export type TxtRecord = Common & { readonly type: 'TXT'; readonly strings: readonly Uint8Array[] };
/** Any other type, or any class but IN. Names inside `data` are never compressed (RFC 3597 section 4). */
export type OpaqueRecord = Common & {
  readonly type: 'opaque';
  readonly code: number;
  readonly data: Uint8Array;
};

export type ResourceRecord = AddressRecord | TargetRecord | SrvRecord | SoaRecord | TxtRecord | OpaqueRecord;

/** The content of an OPT record (RFC 6891). */
export type Edns = {
  /** The largest UDP payload its sender takes, in bytes. */
  readonly udpSize: number;
  /** The upper eight bits of the response code. */
  readonly extendedRcode: number;
  readonly version: number;
  /** Bit 15 is DO (DNSSEC OK). */
  readonly flags: number;
  /** The options as they are on the wire: code, length, data, repeated. */
  readonly options: Uint8Array;
};

export type Message = {
  readonly id: number;
  /** The second word of the header: `FLAG` bits, opcode, the lower four bits of the response code. */
  readonly flags: number;
  readonly question: Question | undefined;
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Without the OPT record, which is `edns`. */
  readonly additionals: readonly ResourceRecord[];
  readonly edns: Edns | undefined;
};

/** The type number of a record. */
export function typeOf(record: ResourceRecord): number {
  return record.type === 'opaque' ? record.code : TYPE[record.type];
}

export function opcodeOf(flags: number): number {
  return (flags >> 11) & 0xf;
}

/** The whole response code, with the bits that travel in the OPT record. */
export function rcodeOf(message: Pick<Message, 'flags' | 'edns'>): number {
  return ((message.edns?.extendedRcode ?? 0) << 4) | (message.flags & 0xf);
}
