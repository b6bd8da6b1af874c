import type { Instance, InstanceState, NetworkAddress } from '../core/model/instance.ts';
import type { Assignment } from '../core/model/master-port.ts';

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
};

/** Unique on the machine over all attempts; also the container's id. */
export function recordKey({ placement }: Assignment): string {
  return `${placement.instanceId}.${placement.attempt}`;
}

export function instanceOf(record: InstanceRecord): Instance {
  const { placement } = record.assignment;
  return {
    instanceId: placement.instanceId,
    appId: placement.appId,
    appVersion: placement.appVersion,
    agentId: placement.agentId,
    attempt: placement.attempt,
    stagedAt: record.stagedAt,
    state: record.state,
  };
}
