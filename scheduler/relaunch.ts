import type { App } from '../core/model/app.ts';
import type { Instance } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Backoff, TaskFailure } from '../core/state/tables.ts';
import type { Member } from './view.ts';

/** The delay after one more failure (Marathon §16.2). */
export function grown(before: Backoff | undefined, app: App, now: number): Backoff {
  const wanted = before === undefined ? app.backoffSeconds * 1000 : before.delayMs * app.backoffFactor;
  const delayMs = Math.min(app.maxLaunchDelaySeconds * 1000, wanted);
  return { appId: app.id, configVersion: app.versionInfo.lastConfigChangeAt, delayMs, until: now + delayMs };
}

/**
 * When a delay is forgotten, ms since the epoch: after all instances ran for the longest delay without a failure
 * (Marathon §16.2). While one is still on its way there is nothing stable yet.
 */
export function forgottenAt(backoff: Backoff, app: App, members: readonly Member[]): number {
  const since = members.map(({ instance }) =>
    instance?.state.kind === 'running' ? instance.state.since : Number.POSITIVE_INFINITY,
  );
  return Math.max(backoff.until, ...since) + app.maxLaunchDelaySeconds * 1000;
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
    ...(state.containers === undefined ? {} : { startedAt: instance.stagedAt, containers: state.containers }),
  };
}
