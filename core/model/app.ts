import type { GeneralCheck } from './checks.ts';
import type { Constraint } from './constraint.ts';
import type { EnvValue } from './env-value.ts';
import type { FetchUri } from './fetch-uri.ts';
import type { HealthCheck } from './health-check.ts';
import type { AppId, Version } from './ids.ts';
import type { Pod } from './pod.ts';

/** What a user wants to run, an app or a pod, normalised: deprecated input forms are gone, defaults are filled in (Marathon §10). */
export type App = {
  readonly id: AppId;
  readonly cmd?: string;
  readonly args?: readonly string[];
  readonly user?: string;
  readonly instances: number;
  /** CPU shares, cores. */
  readonly cpus: number;
  /** MiB. */
  readonly mem: number;
  /** MiB. */
  readonly disk: number;
  readonly gpus: number;
  readonly env: Readonly<Record<string, EnvValue>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly executor: string;
  readonly executorResources?: ExecutorResources;
  readonly resourceLimits?: ResourceLimits;
  readonly container?: Container;
  readonly networks: readonly NetworkRequest[];
  /** Host mode only. */
  readonly portDefinitions?: readonly PortDefinition[];
  readonly requirePorts: boolean;
  readonly constraints: readonly Constraint[];
  /** Absent: the common one. */
  readonly role?: string;
  readonly acceptedResourceRoles?: readonly string[];
  readonly dependencies: readonly AppId[];
  readonly healthChecks: readonly HealthCheck[];
  /** At most one (Marathon §14.5). */
  readonly readinessChecks: readonly ReadinessCheck[];
  readonly check?: GeneralCheck;
  readonly upgradeStrategy: UpgradeStrategy;
  readonly backoffSeconds: number;
  readonly backoffFactor: number;
  readonly maxLaunchDelaySeconds: number;
  /** SIGTERM to SIGKILL; absent: the agent's default (3 s). */
  readonly taskKillGracePeriodSeconds?: number;
  readonly killSelection: 'YOUNGEST_FIRST' | 'OLDEST_FIRST';
  readonly unreachableStrategy: UnreachableStrategy;
  readonly fetch: readonly FetchUri[];
  readonly secrets: Readonly<Record<string, { readonly source: string }>>;
  /** Given: instances belong to the agents that their data is on. */
  readonly residency?: Residency;
  readonly tty?: boolean;
  /** It is a pod; `cmd`, `args` and `container` are absent then. */
  readonly pod?: Pod;
  readonly version: Version;
  readonly versionInfo: VersionInfo;
};

/** Scaling moves `lastScalingAt`; any other change moves all (Marathon §15.1). */
export type VersionInfo = { readonly lastScalingAt: Version; readonly lastConfigChangeAt: Version };

export type Container = {
  readonly type: 'MESOS' | 'DOCKER';
  readonly docker?: DockerImage;
  readonly volumes: readonly Volume[];
  readonly linuxInfo?: LinuxInfo;
  /** Non-host networks only. */
  readonly portMappings?: readonly PortMapping[];
};

export type DockerImage = {
  readonly image: string;
  readonly forcePullImage: boolean;
  readonly privileged: boolean;
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
  /** Names a secret. */
  readonly pullConfig?: { readonly secret: string };
};

/** Marathon §18.1. Only host volumes are acted on. */
export type Volume = HostVolume | PersistentVolume | ExternalVolume | SecretVolume;

type Mounted = { readonly containerPath: string; readonly mode: 'RO' | 'RW' };

export type HostVolume = Mounted & { readonly hostPath: string };

export type PersistentVolume = Mounted & {
  readonly persistent: {
    /** MiB. */
    readonly size: number;
    readonly type?: 'root' | 'path' | 'mount';
    /** MiB. */
    readonly maxSize?: number;
    readonly profileName?: string;
    readonly constraints?: readonly (readonly string[])[];
  };
};

export type ExternalVolume = Mounted & {
  readonly external: {
    readonly name?: string;
    readonly provider?: string;
    readonly size?: number;
    readonly options?: unknown;
    readonly shared?: boolean;
  };
};

export type SecretVolume = { readonly containerPath: string; readonly secret: string };

export type ExecutorResources = { readonly cpus: number; readonly mem: number; readonly disk: number };

/** At least what is requested; mem in MiB. */
export type ResourceLimits = {
  readonly cpus?: number | 'unlimited';
  readonly mem?: number | 'unlimited';
};

export type Residency = {
  readonly relaunchEscalationTimeoutSeconds: number;
  readonly taskLostBehavior: 'WAIT_FOREVER' | 'RELAUNCH_AFTER_TIMEOUT';
};

export type LinuxInfo = {
  readonly seccomp?: { readonly profileName?: string; readonly unconfined?: boolean };
  /** `shmSize` in MiB. */
  readonly ipcInfo?: { readonly mode: 'PRIVATE' | 'SHARE_PARENT'; readonly shmSize?: number };
};

export type NetworkRequest =
  | { readonly mode: 'host' }
  | { readonly mode: 'container/bridge' }
  | { readonly mode: 'container'; readonly name: string; readonly labels?: Readonly<Record<string, string>> };

export type PortProtocol = 'tcp' | 'udp' | 'udp,tcp' | 'tcp,udp';

export type PortDefinition = {
  /** Service port; with `requirePorts` also the host port. */
  readonly port: number;
  readonly protocol: PortProtocol;
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
};

export type PortMapping = {
  readonly containerPort: number;
  /** Absent: no host port; 0: allocate one. */
  readonly hostPort?: number;
  readonly servicePort: number;
  readonly protocol: PortProtocol;
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly networkNames: readonly string[];
};

/** Both 0..1 (Marathon §15.4). */
export type UpgradeStrategy = {
  readonly minimumHealthCapacity: number;
  readonly maximumOverCapacity: number;
};

/** Seconds from the moment an agent is lost. */
export type UnreachableStrategy =
  | 'disabled'
  | { readonly inactiveAfterSeconds: number; readonly expungeAfterSeconds: number };

export type ReadinessCheck = {
  readonly name: string;
  readonly protocol: 'HTTP' | 'HTTPS';
  readonly path: string;
  readonly portName: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly httpStatusCodesForReady: readonly number[];
  readonly preserveLastResponse: boolean;
};

/** The network that `container/bridge` joins: in Weir the default network, whose containers also get host ports. */
export const bridgeNetwork = 'weir';

/** The container networks an app joins, in interface order (eth0, eth1, …); empty in host mode. */
export function networkNames(app: Pick<App, 'networks'>): readonly string[] {
  return app.networks.flatMap((network) => containerNetwork(network) ?? []);
}

/** The container network that is joined; undefined: the host's. */
export function containerNetwork(network: App['networks'][number]): string | undefined {
  if (network.mode === 'host') return undefined;
  return network.mode === 'container' ? network.name : bridgeNetwork;
}

export type PodApp = App & { readonly pod: Pod };

export function isPod<T extends Pick<App, 'pod'>>(app: T): app is T & { readonly pod: Pod } {
  return app.pod !== undefined;
}

export function isHostMode(app: Pick<App, 'networks'>): boolean {
  return networkNames(app).length === 0;
}
