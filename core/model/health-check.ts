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
