import { systemClock } from '../../core/kit/clock.ts';
import { createLog } from '../../core/kit/log.ts';
import { EdgeHost } from '../../lb/edge/held/edge-host.ts';
import { inherited } from '../../lb/edge/held/hand-over.ts';
import { composeEdge, type EdgeComposition } from './edge.ts';

/** The process of an edge that outlives its agent. Its argument is made by `edge.ts`. */
async function main(settings: string): Promise<void> {
  // Whoever may open its socket has the edge.
  process.umask(0o077);
  const composition = JSON.parse(settings) as EdgeComposition;
  const log = createLog({ level: 'info' });
  const edge = composeEdge(composition, { clock: systemClock, log });
  const {
    dataDir,
    edge: { staysMs = 0 },
  } = composition;
  const host = new EdgeHost({ edge, clock: systemClock }, { folder: dataDir, settings, staysMs });
  process.on('SIGTERM', () => host.end());
  process.on('SIGHUP', () => {});
  await host.run(await inherited());
  process.exit(0);
}

await main(process.argv[2] ?? '{}');
