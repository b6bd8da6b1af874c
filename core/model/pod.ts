import type { EnvValue } from './env-value.ts';
import type { FetchUri } from './fetch-uri.ts';
import type { InstanceId, TaskId } from './ids.ts';
import type { Resources } from './resources.ts';

/**
 * What makes a run specification a pod (Marathon §19): containers that share a network and are placed, started and ended
 * as one. The App around it holds what placing it needs: its resources are those of the containers and of the executor
 * together, its health checks those of the containers, its ports their endpoints (`portsOf`).
 */
export type Pod = {
  /** At least one; names are unique. */
  readonly containers: readonly PodContainer[];
  readonly volumes: readonly PodVolume[];
  readonly executorResources: Resources;
  readonly kept?: Kept;
};

/** Fields that change nothing yet, as they were written. */
type Kept = Readonly<Record<string, unknown>>;

export type PodContainer = {
  readonly name: string;
  /** Absent: the image's own program. */
  readonly exec?: PodExec;
  readonly resources: Resources;
  /** Absent: the machine's own files. */
  readonly image?: PodImage;
  readonly endpoints: readonly PodEndpoint[];
  readonly environment: Readonly<Record<string, EnvValue>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly volumeMounts: readonly PodVolumeMount[];
  /** Fetched into its sandbox before it starts. */
  readonly artifacts?: readonly FetchUri[];
  readonly healthCheck?: PodHealthCheck;
  /** SIGTERM to SIGKILL; absent: the agent's default. */
  readonly killGracePeriodSeconds?: number;
  readonly kept?: Kept;
};

export type PodCommand = { readonly shell: string } | { readonly argv: readonly string[] };

export type PodExec = {
  readonly command: PodCommand;
  /** With an image: `argv` takes the place of its entry point instead of becoming its arguments. */
  readonly overrideEntrypoint?: boolean;
};

export type PodImage = {
  readonly id: string;
  readonly forcePull: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly kept?: Kept;
};

/** A port of a pod; its name is unique in the pod. */
export type PodEndpoint = {
  readonly name: string;
  /** Absent in host mode only; 0: same as the host port, or one drawn at launch. */
  readonly containerPort?: number;
  /** Absent: none; 0: allocate one. */
  readonly hostPort?: number;
  readonly protocol: readonly ('tcp' | 'udp')[];
  readonly labels: Readonly<Record<string, string>>;
  readonly networkNames: readonly string[];
};

/** `host`: a path of the machine. Without: an empty folder that lives as long as the instance. */
export type PodVolume = { readonly name: string; readonly host?: string; readonly kept?: Kept };

export type PodVolumeMount = {
  readonly name: string;
  /** Absolute, or below the sandbox. */
  readonly mountPath: string;
  readonly readOnly: boolean;
};

/** Times are seconds. Exactly one of `http`, `tcp` and `exec`. */
export type PodHealthCheck = {
  readonly http?: {
    readonly endpoint: string;
    readonly path?: string;
    readonly scheme?: 'HTTP' | 'HTTPS';
  };
  readonly tcp?: { readonly endpoint: string };
  readonly exec?: { readonly command: PodCommand };
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly maxConsecutiveFailures: number;
  readonly delaySeconds: number;
};

/** The endpoints of a pod in port order: container by container. */
export function endpointsOf({ containers }: Pick<Pod, 'containers'>): readonly PodEndpoint[] {
  return containers.flatMap((container) => container.endpoints);
}

/** `shop_web.instance-<uuid>.<container>.<attempt>` (Marathon §17.2). */
export function podTaskId(instance: InstanceId, container: string, attempt: number): TaskId {
  return `${instance}.${container}.${attempt}`;
}
