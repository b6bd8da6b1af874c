import type { Decision } from './decision.ts';
import { Memory } from './memory.ts';
import { Round } from './round.ts';
import type { World } from './world.ts';

/** How much one round may do; what is left is for the next. */
export type RoundLimit = { readonly writes: number; readonly apps: number };

const unlimited: RoundLimit = { writes: Number.POSITIVE_INFINITY, apps: Number.POSITIVE_INFINITY };

/**
 * One round of the scheduler: everything that should be written now, from one moment of the world. With a memory that
 * heard of every change since its last round only what changed is looked at; the decision is the same. With a limit it may
 * be only a part of it, and the next round is due at once: what comes in between is served meanwhile.
 */
export function decide(world: World, memory: Memory = new Memory(), limit: RoundLimit = unlimited): Decision {
  const agenda = memory.begin(world);
  const round = new Round(world, memory, agenda);
  round.sweep();
  for (const [index, id] of agenda.apps.entries()) {
    if (index >= limit.apps || round.writeCount >= limit.writes) {
      round.postpone(agenda.apps.slice(index));
      break;
    }
    round.app(id);
  }
  return round.finish();
}
