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

/** How much is written from now on; whoever has it may change it. */
export type LogThreshold = { level: LogLevel | 'off' };

const ranks = { debug: 0, info: 1, warn: 2, error: 3, off: 4 } as const;

/** JSON lines on `fd` (2 = standard error, so that standard output stays a program's result). */
export function createLog(
  options: { level?: LogLevel; threshold?: LogThreshold; fd?: number; path?: string } = {},
): Log {
  const target = options.path ?? options.fd ?? 2;
  const destination = pino.destination({ dest: target, sync: true, mkdir: true });
  const threshold = options.threshold ?? { level: options.level ?? 'info' };
  return adapt(pino({ level: 'debug', base: null }, destination), threshold);
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};

function adapt(target: ReturnType<typeof pino>, threshold: LogThreshold): Log {
  const write =
    (level: LogLevel) =>
    (message: string, fields: object = {}) => {
      if (ranks[level] >= ranks[threshold.level]) target[level](fields, message);
    };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    with: (fields) => adapt(target.child(fields), threshold),
  };
}
