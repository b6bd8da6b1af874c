import type { VipAudit } from '../../vip/backend.ts';
import type { VipService, VipTarget } from '../../vip/table.ts';
import type { ListenerCounts } from './listener-tally.ts';

/** `far`: its answers come back to this machine only if it takes us for the client. */
export type MappedTarget = VipTarget & { readonly far?: true };

/**
 * A public port whose connections the kernel sends to endpoints of its family. `0.0.0.0` and `::` are every address of this machine but
 * its loopback ones, of that family.
 */
export type MappedPort = Omit<VipService, 'backends'> & {
  readonly listener: string;
  /** Ranges of the only clients it is for; others, and those of `deny`, are left to the sockets. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly backends: readonly MappedTarget[];
};

/** Sends the connections of public ports to endpoints before any process sees them. What it does not take, sockets get. */
export interface PortMapper extends VipAudit {
  /** For people: `nftables`. */
  readonly kind: string;
  /** Why this machine cannot do it for a family; undefined: it can. */
  cannot(family: 4 | 6): Promise<string | undefined>;
  /** Throws VipUnavailable when this machine cannot. Changes nothing that is in force. May be repeated. */
  start(): Promise<void>;
  /**
   * Puts all of it in force and resolves when new connections follow it. Open TCP connections go on; UDP flows that no endpoint of
   * their port answers are forgotten. A port without endpoints refuses at once. One call at a time; may be repeated.
   */
  apply(ports: readonly MappedPort[]): Promise<void>;
  /** Open TCP connections by endpoint (`targetKey`); absent: none. */
  connections(targets: ReadonlySet<string>): Promise<ReadonlyMap<string, number>>;
  /** Since each port was last mapped. Bytes are those of packets, with their headers. */
  counts(): Promise<readonly ListenerCounts[]>;
  /** Endpoints that took no connection lately and are left alone (`targetKey`). */
  ejected(): ReadonlySet<string>;
  /** Ends it and leaves all on the machine as it is: another process goes on with it. */
  leave(): Promise<void>;
  /** Ends it, and leaves nothing on the machine. May be called on one never started. */
  stop(): Promise<void>;
}
