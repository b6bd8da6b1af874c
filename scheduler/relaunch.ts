import type { App } from '../core/model/app.ts';
import type { Instance } from '../core/model/instance.ts';
import type { Placement } from '../core/model/placement.ts';
import type { Backoff, TaskFailure } from '../core/state/tables.ts';
import { isCurrent, type Member } from './view.ts';

/** The delay after one more failure (Marathon §16.2). */
export function grown(before: Backoff | undefined, app: App, now: number): Backoff {
  const wanted = before === undefined ? app.backoffSeconds * 1000 : before.delayMs * app.backoffFactor;
  const delayMs = Math.min(app.maxLaunchDelaySeconds * 1000, wanted);
  return { appId: app.id, configVersion: app.versionInfo.lastConfigChangeAt, delayMs, until: now + delayMs };
}

/**
 * Until when nothing is launched: a delay counts from the last launch, or from the failure if that is later (Marathon §16.2).
 * By this master's clock alone: that of an agent may be off.
 */
export function rebased(backoff: Backoff, app: App, members: readonly Member[]): number {
  const failedAt = backoff.until - backoff.delayMs;
  const launched = members
    .filter((member) => isCurrent(member, app))
    .map(({ placement }) => placement.createdAt);
  return Math.max(failedAt, ...launched) + backoff.delayMs;
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

/** The record behind `lastTaskFailure`, or undefined for an end that was asked for and is nobody's fault. */
export function failureOf(placement: Placement, instance: Instance, host: string): TaskFailure | undefined {
  const { state } = instance;
  if (state.kind !== 'ended') return undefined;
  if (state.how !== 'failed' && placement.fault === undefined) return undefined;
  const { at, reason, containers } = state;
  const common = {
    ...about(placement, host),
    at,
    ...(containers === undefined ? {} : { startedAt: instance.stagedAt, containers }),
  };
  if (state.how === 'failed') return { ...common, state: 'TASK_FAILED', message: reason };
  const { turnedAt } = placement;
  const turned = turnedAt === undefined ? {} : { turnedAt };
  return { ...common, state: 'TASK_KILLED', message: placement.reason ?? reason, ...turned };
}

/** What ran on an agent that was removed for good. */
export function goneOf(placement: Placement, at: number): TaskFailure | undefined {
  if (placement.goal !== 'run') return undefined;
  const message = `its agent ${placement.agentId} was removed`;
  return { ...about(placement, placement.agentId), state: 'TASK_GONE', message, at };
}

/** What ran on an agent that was given up (Marathon §16.5). */
export function lostOf(placement: Placement, host: string, at: number): TaskFailure {
  return { ...about(placement, host), state: 'TASK_LOST', message: `nothing is heard of ${host}`, at };
}

function about(
  { appId, instanceId, attempt, agentId, appVersion }: Placement,
  host: string,
): Pick<TaskFailure, 'appId' | 'instanceId' | 'attempt' | 'agentId' | 'host' | 'version'> {
  return { appId, instanceId, attempt, agentId, host, version: appVersion };
}
