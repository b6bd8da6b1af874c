import type { App } from '../core/model/app.ts';
import type { Instance } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Backoff, TaskFailure } from '../core/state/tables.ts';

/** The delay after one more failure (Marathon §16.2). */
export function grown(before: Backoff | undefined, app: App, now: number): Backoff {
  const known = before?.configVersion === app.versionInfo.lastConfigChangeAt ? before : undefined;
  const wanted = known === undefined ? app.backoffSeconds * 1000 : known.delayMs * app.backoffFactor;
  const delayMs = Math.min(app.maxLaunchDelaySeconds * 1000, wanted);
  return { appId: app.id, configVersion: app.versionInfo.lastConfigChangeAt, delayMs, until: now + delayMs };
}

/** When the app may launch again, ms since the epoch; 0: now. A delay of another configuration does not count. */
export function launchableAt(backoff: Backoff | undefined, app: App): number {
  return backoff?.configVersion === app.versionInfo.lastConfigChangeAt ? backoff.until : 0;
}

/** A delay is forgotten after a stable run (Marathon §16.2). */
export function isForgotten(backoff: Backoff, app: App, now: number): boolean {
  return now > backoff.until + app.maxLaunchDelaySeconds * 1000;
}

/** The record behind `lastTaskFailure`, or undefined for an end that was asked for. */
export function failureOf(placement: Placement, instance: Instance, host: string): TaskFailure | undefined {
  const state = instance.state;
  if (state.kind !== 'ended' || state.how !== 'failed') return undefined;
  return {
    appId: placement.appId,
    instanceId: placement.instanceId,
    attempt: placement.attempt,
    agentId: placement.agentId,
    host,
    state: 'TASK_FAILED',
    message: state.reason,
    at: state.at,
    version: placement.appVersion,
  };
}
