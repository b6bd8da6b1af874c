import type { App } from '../../model/app.ts';
import { instanceId } from '../../model/ids.ts';
import type { Instance, InstanceState } from '../../model/instance.ts';
import type { Placement } from '../../model/placement.ts';

/** Instance `n` of an app, wanted on h1. */
export function testPlacement(app: App, n: number, fields: Partial<Placement> = {}): Placement {
  return {
    instanceId: instanceId(app.id, String(n)),
    appId: app.id,
    appVersion: app.version,
    agentId: 'h1',
    attempt: 1,
    hostPorts: [],
    containerPorts: [],
    goal: 'run',
    createdAt: 0,
    ...fields,
  };
}

export function testInstance(placement: Placement, state: InstanceState): Instance {
  const { instanceId, appId, appVersion, agentId, attempt } = placement;
  return { instanceId, appId, appVersion, agentId, attempt, stagedAt: 0, state };
}

export function running(fields: Partial<Extract<InstanceState, { kind: 'running' }>> = {}): InstanceState {
  return { kind: 'running', since: 0, addresses: [], health: [], ...fields };
}
