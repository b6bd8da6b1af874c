/** Started by a bench as a process of its own: SimulatedAgents, told what to do over the channel to its parent. */
import { fleet, SimulatedAgents } from './agents.ts';

export type Ask =
  | { readonly ask: 'arrive'; readonly count: number; readonly consuming: number }
  | { readonly ask: 'counts' };

const agents = new SimulatedAgents(process.argv[2] ?? '');

process.on('message', async (ask: Ask) => {
  if (ask.ask === 'arrive') await agents.arrive(fleet(ask.count, ask.consuming));
  process.send?.({ counts: agents.counts, cpu: process.cpuUsage() });
});
process.on('disconnect', () => process.exit());
