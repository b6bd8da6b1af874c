import type { AppId } from '../core/model/ids.ts';
import type { Decision } from './decision.ts';
import { Round } from './round.ts';
import type { World } from './world.ts';

/** One round of the scheduler: everything that should be written now, from one moment of the world. */
export function decide(world: World): Decision {
  const round = new Round(world);
  round.sweep();
  for (const id of appsOf(world)) round.app(id);
  return round.finish();
}

/** Every app that is wanted or still has something running. */
function appsOf(world: World): readonly AppId[] {
  const placed = [...world.snapshot.table('placements').values()].map((placement) => placement.appId);
  return [...new Set([...world.snapshot.table('apps').keys(), ...placed])].sort();
}
