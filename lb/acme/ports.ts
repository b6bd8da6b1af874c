import type { Certificate } from '../../core/model/certificate.ts';
import type {
  Authority,
  AuthorityAccount,
  CertificateOrder,
  Challenge,
  ChallengeType,
  Issuance,
} from '../../core/model/issuance.ts';

type Table<T> = ReadonlyMap<string, T>;

/** What the issuer reads: one moment, not to be kept over an `await`. */
export type IssuanceTables = {
  readonly authorities: Table<Authority>;
  readonly issuances: Table<Issuance>;
  readonly accounts: Table<AuthorityAccount>;
  readonly orders: Table<CertificateOrder>;
  readonly challenges: Table<Challenge>;
  readonly certificates: Table<Certificate>;
};

/** All of it or nothing. */
export type IssuanceChange = {
  readonly account?: AuthorityAccount;
  readonly order?: CertificateOrder;
  /** By name. */
  readonly orderGone?: string;
  readonly challenges?: readonly Challenge[];
  /** By key. */
  readonly challengesGone?: readonly string[];
  readonly certificate?: Certificate;
};

/** Where issuances are kept. */
export interface IssuanceStore {
  read(): IssuanceTables;
  /** Durable, and to be read, when it resolves. Throws StoreUnavailable. */
  commit(change: IssuanceChange): Promise<void>;
  /** Calls back after a change of what operators want. Returns the function that ends it. */
  onChange(listener: () => void): () => void;
}

/** The edges as the issuer sees them. */
export interface Edges {
  /** Of those that are connected. */
  readonly addresses: readonly { readonly name: string; readonly address: string }[];
  /** Somebody is routed there. */
  isRouted(host: string): boolean;
  /** Resolves when what is committed is in force on every connected edge; with the names of those that are too slow. */
  inForce(signal: AbortSignal): Promise<readonly string[]>;
}

/** What the preflight sees of the world. */
export interface Surroundings {
  /** IPv4 and IPv6. */
  addresses(host: string, resolver: string | undefined): Promise<readonly string[]>;
  /** The CAA records of exactly this name. Throws what the resolver says, with its code. */
  caa(name: string, resolver: string | undefined): Promise<readonly CaaRecord[]>;
  /** Undefined: whoever answers there is an edge of ours, and proves it as an authority would see it. Else what it is instead. */
  prove(address: string, challenge: Challenge): Promise<Refusal | undefined>;
}

export type CaaRecord = { readonly tag: string; readonly value: string };

export type Refusal = { readonly kind: 'closed' | 'silent' | 'stranger'; readonly detail: string };

export const challengePorts: Readonly<Record<ChallengeType, number>> = { 'http-01': 80, 'tls-alpn-01': 443 };
