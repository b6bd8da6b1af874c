import type { VipBalance } from '../../core/model/vip-policy.ts';
import type { VipProblem, VipService, VipTable } from './table.ts';

/** What a backend counted for one service since it was first applied. */
export type VipCounters = { readonly connections: number };

/**
 * A data plane for virtual IPs. Connections to a VIP's address and port reach one of its backends; connections to a VIP
 * without backends, and to anything else in the VIP range, are refused at once and never leave the machine.
 */
export interface VipBackend {
  /** `nftables`, `userspace`, `fake`: shown to people. */
  readonly kind: string;
  /** Checks that this machine can do it, changes nothing that is in force. Throws VipUnavailable. May be repeated. */
  start(): Promise<void>;
  /**
   * Puts the whole table in force and resolves when new connections follow it; resolves with what could not be served
   * (the rest is). Open TCP connections to backends that left go on. UDP flows to them are cut over in the same call.
   * One call at a time; may be repeated. A rejection leaves each service as before or as wanted; the next call repairs.
   */
  apply(table: VipTable): Promise<readonly VipProblem[]>;
  /** Open TCP connections through a VIP by backend (`targetKey`); only those asked for, absent means none. */
  connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>>;
  /** By service key, of the services in force. Costs a walk over all services: for people and metrics, not for loops. */
  counters(): Promise<ReadonlyMap<string, VipCounters>>;
  /**
   * Ends this process's part. A kernel backend goes on forwarding without it (containers outlive the agent) unless
   * `remove`: then nothing of it is left on the machine. May be repeated, and may be called on a backend never started.
   */
  stop(options?: { readonly remove?: boolean }): Promise<void>;
}

/** Something that was not in the data plane as it had been put there, as a person would say it. */
export type VipDrift = { readonly what: string; readonly repaired: boolean };

/** Of a backend whose data plane others can change too. */
export interface VipAudit {
  /**
   * Compares the data plane with the table in force and repairs what differs; gives what was found. Costs a listing of
   * everything, during which `apply` goes on; gives nothing when a change came in between. May be repeated.
   */
  audit(): Promise<readonly VipDrift[]>;
}

export function canAudit(backend: VipBackend): backend is VipBackend & VipAudit {
  return 'audit' in backend && typeof backend.audit === 'function';
}

/** Of a backend that leaves alone, for a while, what did not take its connections. */
export interface VipEjection {
  /** Backends that are left alone at the moment, by `targetKey`; as last known. */
  ejected(): ReadonlySet<string>;
}

export function canEject(backend: VipBackend): backend is VipBackend & VipEjection {
  return 'ejected' in backend && typeof backend.ejected === 'function';
}

/** Of a backend whose data plane cannot choose in every way that a service may ask for. */
export interface VipChoice {
  /** How this service is chosen from in place of the way that it asks for; undefined: as it asks. */
  chosenBy(service: VipService): VipBalance | undefined;
}

export function canChoose(backend: VipBackend): backend is VipBackend & VipChoice {
  return 'chosenBy' in backend && typeof backend.chosenBy === 'function';
}

/** Of a backend that goes on trying to serve what it could not. */
export interface VipRetry {
  /** What is not served at the moment; `apply` said so of what was not then. */
  unserved(): readonly VipProblem[];
}

export function canRetry(backend: VipBackend): backend is VipBackend & VipRetry {
  return 'unserved' in backend && typeof backend.unserved === 'function';
}
