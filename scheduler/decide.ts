import type { Decision } from './decision.ts';
import { Memory } from './memory.ts';
import { Round } from './round.ts';
import type { World } from './world.ts';

/**
 * One round of the scheduler: everything that should be written now, from one moment of the world. With a memory that
 * heard of every change since its last round only what changed is looked at; the decision is the same.
 */
export function decide(world: World, memory: Memory = new Memory()): Decision {
  const agenda = memory.begin(world);
  const round = new Round(world, memory, agenda);
  round.sweep();
  for (const id of agenda.apps) round.app(id);
  return round.finish();
}
