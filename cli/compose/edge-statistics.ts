import type { Log } from '../../core/kit/log.ts';
import type { Part } from '../../core/kit/part.ts';
import type { StatisticsSource } from '../../lb/statistics/answers.ts';
import { StatisticsServer } from '../../lb/statistics/server.ts';
import type { Address } from './agent-settings.ts';
import { whereFree } from './where-free.ts';

/** The statistics of an edge. Other programs like their usual port too: where it is taken the edge does without. */
export function edgeStatistics(at: Address, source: StatisticsSource, log: Log): Part {
  return whereFree(
    new StatisticsServer(source, at),
    "the edge's statistics are not served; choose another address with --edge-stats",
    log,
  );
}
