import type { Part } from '../core/kit/part.ts';
import type { Listener } from '../core/model/listener.ts';
import type { RouteTable } from './edge/routes/route-table.ts';
import type { RequestCount } from './edge/telemetry/route-tally.ts';
import type { TrafficStats } from './edge/telemetry/traffic-stats.ts';
import type { WhyLink, WhyQuestion } from './edge/why/why.ts';

/** Counters since the engine started; all but the gauges only grow. */
export type EngineStats = {
  /** Gauges. */
  readonly revision: number;
  readonly openConnections: number;
  readonly inFlight: number;
  /** Processes that another one has taken over from, and that end what they have begun. Absent: the engine has none. */
  readonly replaced?: number;
  /** Counters. `route` is the id of a route, or `none`. */
  readonly requests: readonly RequestCount[];
  readonly connectFailures: number;
  readonly retries: number;
  readonly ejections: number;
  /** Requests refused because they were malformed. */
  readonly refused: number;
  /** Absent: the engine cannot say. */
  readonly traffic?: TrafficStats;
};

/** An address the engine listens on, with the port it really got. */
export type ListenAddress = {
  /** Of the listener; those that the edge was started with: `*http`, `*https`. */
  readonly id: string;
  readonly scheme: 'http' | 'https';
  readonly address: string;
  readonly port: number;
};

/** What serves the public: it is given whole route tables and answers requests by them. Every method may be repeated. */
export interface IngressEngine extends Part {
  /** Begins to listen; until the first `apply` every request is answered 503. Throws PortInUse. */
  start(): Promise<void>;
  /** Stops listening, lets requests in flight end within a bound, then closes everything. */
  stop(): Promise<void>;
  /**
   * Puts `table` in force as a whole and gives the revision in force. From then on no new request goes to an endpoint
   * that is not in it; requests in flight and upgraded streams keep theirs.
   */
  apply(table: RouteTable): Promise<number>;
  /**
   * Opens a further listener, or changes what an open one does; it serves the tables that are applied. `handle`: a socket bound there.
   * Throws PortInUse, and a WeirError for what the engine does not carry.
   */
  open(listener: Listener, handle?: object): Promise<void>;
  /** No more comes in there; what is on its way goes on for its time. */
  shut(listener: string): void | Promise<void>;
  /** The port that a listener really got; undefined: it is not open. */
  portOf(listener: string): number | undefined;
  /** What would become of a request: a walk that ends at the first broken link. */
  why(question: WhyQuestion): Promise<readonly WhyLink[]>;
  /** Requests and upgraded streams by instance id: at least those to instances that have left the table. */
  inFlight(): Promise<ReadonlyMap<string, number>>;
  stats(): Promise<EngineStats>;
  /** Where it listens; empty before `start`. */
  readonly listening: readonly ListenAddress[];
}
