import { BindFailed } from '../../core/kit/listen.ts';
import type { Log } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';

/** A server whose usual port other programs like too: where it is taken the rest goes on, and `warning` is logged. */
export function whereFree(server: Part, warning: string, log: Log): Part {
  return {
    async start() {
      try {
        await server.start();
      } catch (error) {
        if (!(error instanceof BindFailed)) throw error;
        log.warn(warning, { error: error.message });
      }
    },
    stop: () => server.stop(),
  };
}
