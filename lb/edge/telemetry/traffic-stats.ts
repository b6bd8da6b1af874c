import type { ListenerCounts } from '../l4/listener-tally.ts';
import type { LatencyCounts } from './histogram.ts';
import type { RequestCount } from './route-tally.ts';

export type RouteLatency = LatencyCounts & { readonly route: string };

/** One endpoint, as one worker knows it. */
export type EndpointStats = {
  /** Instance and address. */
  readonly endpoint: string;
  readonly requests: readonly Pick<RequestCount, 'codeClass' | 'count'>[];
  /** Undefined: no request went there. */
  readonly latency: LatencyCounts | undefined;
  readonly connectFailures: number;
  /** Requests and streams there now; absent: the engine does not count them by address. */
  readonly inFlight?: number;
  /** What is not HTTP: connections and flows, bytes from clients and to them. */
  readonly streams: { readonly connections: number; readonly bytesIn: number; readonly bytesOut: number };
  /** Others are preferred now: it refused connections, or answered with faults. */
  readonly ejected: boolean;
  /** It fails the edge's own checks. */
  readonly sick: boolean;
};

/** What an engine that carries the traffic itself can say beyond the usual. Counters, but for `pools` and the state of endpoints. */
export type TrafficStats = {
  /** Of routes whose requests went somewhere. */
  readonly latencies: readonly RouteLatency[];
  readonly endpoints: readonly EndpointStats[];
  readonly listeners: readonly ListenerCounts[];
  readonly pools: number;
  /** Requests refused because of a limit. */
  readonly limited: { readonly client: number; readonly route: number };
  readonly tlsHandshakes: number;
  readonly tlsFailures: number;
  readonly accessLogLost: number;
};
