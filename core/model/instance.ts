import type { CheckResult, ReadinessResult } from './checks.ts';
import type { AgentId, AppId, InstanceId, Version } from './ids.ts';

export type NetworkAddress = { readonly network: string; readonly ip: string };

export type HealthResult = {
  readonly alive: boolean;
  readonly consecutiveFailures: number;
  /** ms since the epoch, as all times here. */
  readonly firstSuccess?: number;
  readonly lastSuccess?: number;
  readonly lastFailure?: number;
  readonly lastFailureCause?: string;
};

/** One container of a pod. */
export type ContainerStatus = {
  readonly name: string;
  /** Running since, ms since the epoch. */
  readonly since: number;
  /** Absent: it runs. */
  readonly end?: ContainerOutcome;
};

export type ContainerOutcome = {
  /** ms since the epoch. */
  readonly at: number;
  readonly how: 'finished' | 'failed' | 'killed';
  readonly reason: string;
  readonly exitCode?: number;
};

/** What an agent says of a placement. A discriminated union: only a running instance has addresses; `containers`: of a pod, in its order. */
export type InstanceState =
  | { readonly kind: 'staging'; readonly step: 'fetching' | 'attaching' | 'starting'; readonly since: number }
  | {
      readonly kind: 'running';
      readonly since: number;
      readonly addresses: readonly NetworkAddress[];
      /** One per health check of the app, in order; null until the first result. */
      readonly health: readonly (HealthResult | null)[];
      /** Of the app's readiness check; absent until its first answer. */
      readonly readiness?: ReadinessResult;
      /** Of the app's general check; absent until its first result. */
      readonly check?: CheckResult;
      readonly containers?: readonly ContainerStatus[];
    }
  | {
      readonly kind: 'killing';
      readonly since: number;
      readonly containers?: readonly ContainerStatus[];
    }
  | {
      readonly kind: 'ended';
      readonly at: number;
      /** `failed`: could not be started, or ended with an error. `killed`: ended because it was asked to. */
      readonly how: 'finished' | 'failed' | 'killed';
      /** For people, with the failing part's own words. */
      readonly reason: string;
      readonly exitCode?: number;
      /** Of a pod: those that were started. */
      readonly containers?: readonly ContainerStatus[];
    };

export type Instance = {
  readonly instanceId: InstanceId;
  readonly appId: AppId;
  readonly appVersion: Version;
  readonly agentId: AgentId;
  readonly attempt: number;
  /** When it was given to the agent, ms since the epoch. */
  readonly stagedAt: number;
  readonly state: InstanceState;
};

/** `none`: no checks; `unknown`: not every check has reported yet (Marathon §14.2). */
export type Health = 'none' | 'unknown' | 'healthy' | 'unhealthy';

export function healthOf(instance: Instance): Health {
  if (instance.state.kind !== 'running') return 'unknown';
  const results = instance.state.health;
  if (results.length === 0) return 'none';
  if (results.some((result) => result !== null && !result.alive)) return 'unhealthy';
  return results.every((result) => result !== null) ? 'healthy' : 'unknown';
}

/** Takes new traffic: running and every check (if any) passes. */
export function isReady(instance: Instance): boolean {
  const health = healthOf(instance);
  return instance.state.kind === 'running' && (health === 'none' || health === 'healthy');
}
