import type { Clock } from '../core/kit/clock.ts';
import type { Log } from '../core/kit/log.ts';
import type { LogLevels } from '../core/kit/log-levels.ts';
import type { Metrics } from '../core/kit/metrics.ts';
import type { App } from '../core/model/app.ts';
import type { Groups } from '../core/model/dependencies.ts';
import type { DeploymentStep } from '../core/model/deployment.ts';
import type { AgentId, AppId, InstanceId, Version } from '../core/model/ids.ts';
import type { Lease, Network } from '../core/model/network.ts';
import type { Database } from '../core/state/database.ts';
import type { EventBus } from '../core/state/event-bus.ts';
import type { Presence } from '../core/state/presence.ts';
import type { DirectoryPublisher } from '../core/state/publisher.ts';
import type { Write } from '../core/state/store.ts';
import type { Questions } from './questions.ts';

export type Root = ReadonlyMap<AppId, App>;

export type WantedRoot = {
  readonly after: Root;
  readonly restarted?: readonly AppId[];
  readonly sentenced?: readonly InstanceId[];
  /** Every group there is to be; absent: as they are. */
  readonly groups?: Groups;
  /** Stored in the same commit. */
  readonly alongside?: readonly Write[];
};

/** Who put which apps, for events. */
export type Posted = { readonly apps: readonly AppId[]; readonly clientIp: string; readonly uri: string };

export type RootMutation<R> =
  | { readonly kind: 'change'; readonly wanted: WantedRoot; readonly posted?: Posted }
  | { readonly kind: 'refused'; readonly refusal: R };

export type RootUpdateResult =
  | { readonly kind: 'locked'; readonly deployments: readonly string[] }
  | { readonly kind: 'full'; readonly limit: number }
  | { readonly kind: 'accepted'; readonly deploymentId: string; readonly version: Version };

/** Why an app has fewer instances than it wants; the scheduler's own words. */
export type Waiting =
  | { readonly kind: 'backoff'; readonly count: number; readonly until: number }
  | {
      readonly kind: 'no-agent';
      readonly count: number;
      readonly refusals: readonly {
        readonly agentId: AgentId;
        readonly reason: string;
        readonly detail: string;
      }[];
    };

/** What came of looking for agents since an app began to wait; times in ms since the epoch. */
export type Attempt = {
  readonly since: number;
  readonly used: number;
  readonly lastUsedAt?: number;
  readonly unused: number;
  readonly lastUnusedAt?: number;
  readonly refused: ReadonlyMap<string, number>;
};

/** The scheduler as the API sees it: the only one who changes apps, deployments and placements. */
export interface SchedulerPort {
  update<R>(
    mutate: (root: Root, version: Version) => RootMutation<R>,
    force: boolean,
  ): Promise<RootUpdateResult | { readonly kind: 'refused'; readonly refusal: R }>;
  /** The steps of the change, which is not made. */
  preview<R>(
    mutate: (root: Root, version: Version) => RootMutation<R>,
  ): Promise<
    | { readonly kind: 'steps'; readonly steps: readonly DeploymentStep[] }
    | { readonly kind: 'refused'; readonly refusal: R }
  >;
  kill(instances: readonly InstanceId[], reason: string): Promise<readonly InstanceId[]>;
  abandon(deployment: string): Promise<boolean>;
  readonly waiting: ReadonlyMap<AppId, Waiting>;
  readonly attempts: ReadonlyMap<AppId, Attempt>;
  /** Everything of an app that is not yet as it is wanted; empty: nothing. */
  waitsOf(app: AppId): readonly Wait[];
  readonly healthBrake: HealthBrake;
  /** Whether nothing was heard of an agent for so long that it counts as lost, and since when it is silent (ms since the epoch). */
  silenceOf(agent: AgentId): { readonly isLost: boolean; readonly since: number; readonly lostAt: number };
}

/** What is not ended for its health because too many apps fail at once. */
export type HealthBrake = {
  /** `scope`: an agent's id, or `cluster`. */
  readonly brakes: readonly {
    readonly scope: string;
    readonly turned: number;
    readonly checked: number;
    readonly reason: string;
  }[];
  readonly held: ReadonlyMap<AppId, ReadonlyMap<InstanceId, string>>;
};

/** One thing an app waits for, for people. */
export type Wait = {
  readonly kind: string;
  readonly instanceId?: InstanceId;
  /** How many instances wait for the same. */
  readonly count: number;
  /** ms since the epoch. */
  readonly since?: number;
  readonly detail: string;
};

/** What overlay decides for the master: shares of networks, and whether a network can be. */
export interface NetworkPort {
  /** Pure. Throws AddressPoolFull. */
  assign(request: {
    networks: readonly Network[];
    leases: readonly Lease[];
    agent: { id: AgentId; address: string };
    network: string;
  }): Lease;
  /** What is wrong with a definition, for people; empty: nothing. */
  faults(network: Network, others: readonly Network[]): readonly string[];
}

export type ApiDependencies = {
  readonly database: Database;
  readonly presence: Presence;
  readonly publisher: DirectoryPublisher;
  readonly scheduler: SchedulerPort;
  readonly networks: NetworkPort;
  readonly events: EventBus;
  readonly questions: Questions;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly logLevels: LogLevels;
  /** Lets another master lead, a moment later; if there is none, this one leads again. */
  readonly abdicate: () => void;
  readonly uuid: () => string;
};

export type ApiOptions = {
  readonly host: string;
  readonly port: number;
  /** Assigned to ports that ask for 0 (Marathon §11.4): from `begin` up to, not including, `end`. */
  readonly servicePorts: { readonly begin: number; readonly end: number };
  readonly frameworkId: string;
  /** Several masters share the store. */
  readonly isShared: boolean;
  /** Origins whose pages may read (CORS, Marathon §1.1); none: nobody's. */
  readonly allowOrigins: readonly string[];
  /** What edges prove themselves with before they are told keys; absent, or undefined: everybody who gets in is believed. */
  readonly joinSecret?: () => string | undefined;
};
