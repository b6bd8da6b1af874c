import type { Agent } from './agent.ts';
import type { App } from './app.ts';
import type { Directory, DirectoryDelta } from './directory.ts';
import type { AgentId, InstanceId } from './ids.ts';
import type { Instance } from './instance.ts';
import type { ListenerState } from './listener.ts';
import type { Lease, Network } from './network.ts';
import type { Placement } from './placement.ts';

/** A placement with the definition it was made from. */
export type Assignment = { readonly placement: Placement; readonly app: App };

/** What a master tells an agent, in order, over one long-lived response of JSON lines. */
export type MasterMessage =
  /** All assignments of this agent; those not named are not (any longer) wanted. Always first. */
  | { readonly kind: 'assignments'; readonly all: readonly Assignment[] }
  | { readonly kind: 'assignment'; readonly set: Assignment }
  /** The scheduler forgot the placement: its container and records may go. */
  | { readonly kind: 'assignment-gone'; readonly instanceId: InstanceId }
  /** All networks and all leases of all agents (peers need each other's). Sent again whole when one changes. */
  | { readonly kind: 'networks'; readonly networks: readonly Network[]; readonly leases: readonly Lease[] }
  /** `withheld`: keys of certificates are left out, since this edge has not proved itself; absent from older masters. */
  | { readonly kind: 'directory'; readonly delta: DirectoryDelta; readonly withheld?: true }
  /** Somebody asked the master something only this agent knows; the reply goes through `answer` with the same id. */
  | { readonly kind: 'question'; readonly id: string; readonly question: AgentQuestion }
  /** `heartbeatMs`: how often the master wants to hear of this agent at least; absent from older masters. */
  | { readonly kind: 'ping'; readonly heartbeatMs?: number };

export type AgentQuestion =
  /** The newest `tail` lines an instance wrote, also one that has ended not long ago. Answered with LogText. */
  | {
      readonly kind: 'log';
      readonly instanceId: InstanceId;
      /** Of a pod: which of its containers. */
      readonly container?: string;
      readonly stream: 'stdout' | 'stderr' | 'both';
      readonly tail: number;
    }
  /** What the agent has in force for the VIPs of these addresses. Answered with `VipNodeStatus` of `lb/vip`. */
  | { readonly kind: 'vips'; readonly addresses: readonly string[] }
  /** The way of a request through the edge of this agent. Answered with `WhyLink[]` of `lb/edge`. */
  | {
      readonly kind: 'edge-why';
      readonly url: string;
      readonly method?: string;
      readonly headers?: readonly { readonly name: string; readonly value: string }[];
      readonly client?: string;
    }
  /** What the resolver of this agent was asked lately, and who asks most. */
  | { readonly kind: 'dns-queries' }
  /** Why the resolver of this agent answers as it does. */
  | { readonly kind: 'explain-name'; readonly name: string; readonly type: string };

export type LogText = {
  /** The instance has ended: nothing comes after these. Absent: it may go on. */
  readonly over?: true;
  readonly lines: readonly { readonly stream: 'stdout' | 'stderr'; readonly text: string }[];
};

export type AgentAnswer = { readonly value: unknown } | { readonly error: string };

/** What an agent tells a master. Each report stands for itself; a lost one is repeated by the next. */
export type AgentReport = {
  /** Instances that changed since the last report that was accepted; all of them on the first of a connection. */
  readonly instances: readonly Instance[];
  /** True on the first report of a connection: `instances` is everything this agent has. */
  readonly complete: boolean;
  /** Directory revision in force, by consumer. */
  readonly acks: Readonly<Record<string, number>>;
  /** The store (as in Directory) that the revisions are of; absent from agents of before. */
  readonly store?: string;
  /** Requests and connections this agent still carries to draining instances, by instance; all consumers together. */
  readonly inFlight: Readonly<Record<InstanceId, number>>;
  /** Where there is an edge: what became of the listeners. */
  readonly listeners?: readonly ListenerState[];
};

/** What an agent has of the Directory when it connects; revision 0: nothing. */
export type HeldDirectory = Pick<Directory, 'revision' | 'store'>;

/** A master as an agent sees it; `api/client.ts` speaks it over HTTP, tests hand in their own. */
export interface MasterPort {
  /** Announces the agent, then yields messages until the connection ends (throws) or the signal aborts. */
  connect(agent: Agent, held: HeldDirectory, signal: AbortSignal): AsyncIterable<MasterMessage>;
  report(agent: AgentId, report: AgentReport): Promise<void>;
  answer(agent: AgentId, id: string, answer: AgentAnswer): Promise<void>;
  /** The agent's lease of a network; made on the first call, the same ever after. Throws AddressPoolFull. */
  lease(agent: AgentId, network: string): Promise<Lease>;
}
