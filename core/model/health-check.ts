export type HealthProtocol =
  | 'HTTP'
  | 'HTTPS'
  | 'TCP'
  | 'MESOS_HTTP'
  | 'MESOS_HTTPS'
  | 'MESOS_TCP'
  | 'COMMAND';

/** Marathon §14.1. Times are seconds. */
export type HealthCheck = {
  readonly protocol: HealthProtocol;
  readonly path?: string;
  readonly portIndex?: number;
  readonly port?: number;
  /** COMMAND only: a shell line run inside the container. */
  readonly command?: { readonly value: string };
  /** COMMAND of a pod, instead of `command`: a program with its arguments. */
  readonly argv?: readonly string[];
  /** Of a pod: the container it looks into. */
  readonly container?: string;
  readonly gracePeriodSeconds: number;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  /** 0: never kill. */
  readonly maxConsecutiveFailures: number;
  readonly delaySeconds: number;
  readonly ignoreHttp1xx?: boolean;
  readonly ipProtocol?: 'IPv4' | 'IPv6';
};

/** Made on the node, inside the task's own network; the others stand for probes that a scheduler would make (§14.1). */
export function isNodeSide({ protocol }: Pick<HealthCheck, 'protocol'>): boolean {
  return protocol === 'COMMAND' || protocol.startsWith('MESOS_');
}

/** How many failures in a row end an instance: one more for the kinds that a scheduler would make (§14.2). Infinity: it never is. */
export function fatalFailures(check: HealthCheck): number {
  const { maxConsecutiveFailures: most } = check;
  if (most === 0) return Number.POSITIVE_INFINITY;
  return isNodeSide(check) ? most : most + 1;
}
