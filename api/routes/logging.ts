import type { FastifyInstance } from 'fastify';
import { rootLogger } from '../../core/kit/log-levels.ts';
import { required as parsedOf } from '../change-apps.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { parseJson } from '../marathon/parse-json.ts';
import { integer, object, oneOf, optional, required, text } from '../marathon/schema.ts';

const names = {
  trace: 'debug',
  all: 'debug',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  off: 'off',
} as const;

export const readLogging = object({
  level: required(oneOf('trace', 'all', 'debug', 'info', 'warn', 'error', 'off')),
  logger: optional(text({ minLength: 1, maxLength: 200 })),
  durationSeconds: optional(integer({ min: 1, max: 86_400 })),
});

/** Marathon §2.3: how much is logged, changed at run time. */
export function loggingRoutes(server: FastifyInstance, { logLevels, log }: ApiDependencies): void {
  server.get('/logging', async () => shown());

  server.post('/logging', async ({ body }) => {
    const { level, logger = rootLogger, durationSeconds } = parsedOf(parseJson(body, readLogging));
    logLevels.set(logger, names[level], durationSeconds === undefined ? undefined : durationSeconds * 1000);
    log.info('log level changed', { logger, level, durationSeconds });
    return shown();
  });

  function shown() {
    return Object.fromEntries([...logLevels.all].map(([logger, level]) => [logger, level.toUpperCase()]));
  }
}
