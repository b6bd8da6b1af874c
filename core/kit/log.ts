import { pino } from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log: a short sentence and the fields that vary. */
export interface Log {
  debug(message: string, fields?: object): void;
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
  /** A log whose every line carries `fields`. */
  with(fields: object): Log;
}

/** JSON lines on `fd` (2 = standard error, so that standard output stays a program's result). */
export function createLog(options: { level?: LogLevel; fd?: number; path?: string } = {}): Log {
  const target = options.path ?? options.fd ?? 2;
  const destination = pino.destination({ dest: target, sync: true, mkdir: true });
  return adapt(pino({ level: options.level ?? 'info', base: null }, destination));
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};

function adapt(target: ReturnType<typeof pino>): Log {
  return {
    debug: (message, fields = {}) => target.debug(fields, message),
    info: (message, fields = {}) => target.info(fields, message),
    warn: (message, fields = {}) => target.warn(fields, message),
    error: (message, fields = {}) => target.error(fields, message),
    with: (fields) => adapt(target.child(fields)),
  };
}
