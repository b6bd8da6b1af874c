import type { Log } from '../core/kit/log.ts';
import type { Part } from '../core/kit/part.ts';

/** Runs a part until Ctrl-C or SIGTERM, then stops it. A second Ctrl-C ends at once. */
export async function serve(
  part: Part,
  { log, ready }: { log: Log; ready: () => void | Promise<void> },
): Promise<void> {
  const asked = Promise.withResolvers<string>();
  const listen = (name: 'SIGINT' | 'SIGTERM') => process.on(name, () => asked.resolve(name));
  await part.start();
  listen('SIGINT');
  listen('SIGTERM');
  await ready();
  log.info('stopping', { because: await asked.promise });
  process.on('SIGINT', () => process.exit(130));
  await part.stop();
}
