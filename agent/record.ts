import type {
  ContainerOutcome,
  ContainerStatus,
  Instance,
  InstanceState,
  NetworkAddress,
} from '../core/model/instance.ts';
import type { Assignment } from '../core/model/master-port.ts';
import type { ContainerEnd } from './runtime.ts';

/** What an agent knows of one attempt of one instance; kept on disk, so that a restarted agent adopts what runs. */
export type InstanceRecord = {
  readonly assignment: Assignment;
  /** When it was taken on, ms since the epoch. */
  readonly stagedAt: number;
  readonly state: InstanceState;
  /** Path of its network namespace; absent in host mode and before it exists. */
  readonly netns?: string;
  readonly addresses: readonly NetworkAddress[];
  /** Ended, and its container, links and addresses are gone. */
  readonly cleaned: boolean;
  /** Ended, and taking it down failed at least once; it is tried again, but the master need not wait for it. */
  readonly lingers?: true;
  /** Of a pod: its containers that were started. */
  readonly containers?: readonly ContainerStatus[];
  /** Of a pod: why all of it ends. On record before any of it is stopped. */
  readonly failed?: ContainerOutcome;
};

/** Unique on the machine over all attempts; also the container's id. */
export function recordKey({ placement }: Assignment): string {
  return `${placement.instanceId}.${placement.attempt}`;
}

/**
 * As the master is told. An end is told when addresses and host ports are free again: until then the master would give them
 * to the next instance too early.
 */
export function instanceOf(record: InstanceRecord): Instance {
  const { placement } = record.assignment;
  return {
    instanceId: placement.instanceId,
    appId: placement.appId,
    appVersion: placement.appVersion,
    agentId: placement.agentId,
    attempt: placement.attempt,
    stagedAt: record.stagedAt,
    state: told(record),
  };
}

function told({ state, cleaned, lingers, containers }: InstanceRecord): InstanceState {
  const isTold = state.kind !== 'ended' || cleaned || lingers;
  const shown: InstanceState = isTold ? state : { kind: 'killing', since: state.at };
  return containers === undefined || shown.kind === 'staging' ? shown : { ...shown, containers };
}

/** How an instance in this state is said to have ended when its container did. */
export function howOf(state: InstanceState, end: ContainerEnd): 'finished' | 'failed' | 'killed' {
  if (state.kind === 'killing') return 'killed';
  return end.exitCode === 0 ? 'finished' : 'failed';
}
