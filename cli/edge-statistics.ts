import { BindFailed } from '../core/kit/listen.ts';
import type { Log } from '../core/kit/log.ts';
import type { Part } from '../core/kit/part.ts';
import type { StatisticsSource } from '../lb/statistics/answers.ts';
import { StatisticsServer } from '../lb/statistics/server.ts';
import type { Address } from './agent-settings.ts';

/** The statistics of an edge. Other programs like their usual port too: where it is taken the edge does without. */
export function edgeStatistics(at: Address, source: StatisticsSource, log: Log): Part {
  const server = new StatisticsServer(source, at);
  return {
    async start() {
      try {
        await server.start();
      } catch (error) {
        if (!(error instanceof BindFailed)) throw error;
        log.warn("the edge's statistics are not served; choose another address with --edge-stats", {
          error: error.message,
        });
      }
    },
    stop: () => server.stop(),
  };
}
