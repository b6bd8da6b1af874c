import type { SocketChoice } from './choose-sockets.ts';
import type { ForwardOptions, ServerOptions, ZoneOptions } from './options.ts';

/** What a worker is started with; the same again after a crash. */
export type WorkerConfig = {
  readonly zone: ZoneOptions;
  readonly server: ServerOptions;
  readonly sockets: SocketChoice;
  /** Absent: what is not ours is refused. */
  readonly forward?: ForwardOptions;
};

/** As one command-line argument. */
export function workerArgument(config: WorkerConfig): string {
  return JSON.stringify(config);
}

/** Reads what `workerArgument` wrote; it comes from our own parent process. */
export function parseWorkerConfig(argument: string | undefined): WorkerConfig {
  return JSON.parse(argument ?? '') as WorkerConfig;
}
