/** Started by a bench as a process of its own: SimulatedAgents, told what to do over the channel to its parent. */
import { testAgent } from '../core/state/testing/agents.ts';
import { SimulatedAgents } from './agents.ts';

export type Ask =
  | { readonly ask: 'arrive'; readonly count: number; readonly consuming: number }
  | { readonly ask: 'counts' };

const agents = new SimulatedAgents(process.argv[2] ?? '');

process.on('message', async (ask: Ask) => {
  if (ask.ask === 'arrive') await agents.arrive(fleet(ask.count, ask.consuming));
  process.send?.({ counts: agents.counts, cpu: process.cpuUsage() });
});
process.on('disconnect', () => process.exit());

/** Of four sizes; the first `consuming` run consumers of the Directory, as machines with a resolver and an edge do. */
function fleet(count: number, consuming: number) {
  return Array.from({ length: count }, (_, index) => {
    const cpus = [8, 16, 32, 64][(index * 7) % 4] ?? 8;
    return testAgent(`n${index}`, {
      address: `100.64.${index >> 8}.${index & 255}`,
      resources: { cpus, mem: cpus * 2048, disk: 100_000, gpus: 0 },
      attributes: { rack: `r${index % 100}`, zone: `z${index % 4}` },
      consumers: index < consuming ? ['dns'] : [],
    });
  });
}
