import type { Constraint } from './constraint.ts';
import type { HealthCheck } from './health-check.ts';
import type { AppId, Version } from './ids.ts';

/** What a user wants to run, normalised: deprecated input forms are gone, defaults are filled in (Marathon §10). */
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
  readonly readinessChecks: readonly ReadinessCheck[];
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
  readonly tty?: boolean;
  readonly version: Version;
  readonly versionInfo: VersionInfo;
};

export type EnvValue = string | { readonly secret: string };

/** Scaling moves `lastScalingAt`; any other change moves all (Marathon §15.1). */
export type VersionInfo = { readonly lastScalingAt: Version; readonly lastConfigChangeAt: Version };

export type Container = {
  readonly type: 'MESOS' | 'DOCKER';
  readonly docker?: DockerImage;
  readonly volumes: readonly Volume[];
  /** Non-host networks only. */
  readonly portMappings?: readonly PortMapping[];
};

export type DockerImage = {
  readonly image: string;
  readonly forcePullImage: boolean;
  readonly privileged: boolean;
  readonly parameters: readonly { readonly key: string; readonly value: string }[];
};

/** Host volumes are acted on; other kinds are refused at the door until storage exists. */
export type Volume = {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly mode: 'RO' | 'RW';
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

export type FetchUri = {
  readonly uri: string;
  readonly extract: boolean;
  readonly executable: boolean;
  readonly cache: boolean;
  readonly destPath?: string;
};

/** The network that `container/bridge` joins: in Weir the default network, whose containers also get host ports. */
export const bridgeNetwork = 'weir';

/** The container networks an app joins, in interface order (eth0, eth1, …); empty in host mode. */
export function networkNames(app: Pick<App, 'networks'>): readonly string[] {
  return app.networks.flatMap((network) => {
    if (network.mode === 'host') return [];
    return [network.mode === 'container' ? network.name : bridgeNetwork];
  });
}

export function isHostMode(app: Pick<App, 'networks'>): boolean {
  return networkNames(app).length === 0;
}
