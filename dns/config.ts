import { defaultServerOptions, defaultZoneOptions, type ServerOptions, type ZoneOptions } from './options.ts';

/** What a worker is started with; the same again after a crash. */
export type WorkerConfig = { readonly zone: ZoneOptions; readonly server: ServerOptions };

/** One command-line argument. */
export function workerArgument(config: WorkerConfig): string {
  return JSON.stringify(config);
}

/** Reads what `workerArgument` wrote; it comes from our own parent process. */
export function parseWorkerConfig(argument: string | undefined): WorkerConfig {
  const { zone, server } = JSON.parse(argument ?? '{}') as Partial<WorkerConfig>;
  return {
    zone: { ...defaultZoneOptions, ...zone },
    server: { ...defaultServerOptions, ...server },
  };
}
