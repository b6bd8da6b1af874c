import type { AgentId } from './ids.ts';
import type { PortRange, Resources } from './resources.ts';

/** A machine that runs instances, as it describes itself. */
export type Agent = {
  readonly id: AgentId;
  readonly hostname: string;
  /** IPv4 that other agents and the master reach it at. */
  readonly address: string;
  readonly resources: Resources;
  readonly ports: readonly PortRange[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Runs an edge. */
  readonly edge: boolean;
  /** What carries its public traffic; absent: our own. */
  readonly edgeEngine?: 'haproxy';
  readonly runtime: string;
  /** Names of the Directory consumers that run here; drains wait for their acknowledgements. */
  readonly consumers: readonly string[];
  /** What it understands that agents did not always: `draining` endpoints of the Directory. */
  readonly understands?: readonly string[];
};
