import { viewOf } from '../agent-view.ts';
import { isUsable } from '../reach.ts';
import type { World } from '../world.ts';
import { Fleet } from './fleet.ts';

/** The agents that may take instances at this moment. */
export function fleetOf(world: World): Fleet {
  const fleet = new Fleet();
  for (const id of world.snapshot.table('agents').keys()) {
    const view = isUsable(world, id) ? viewOf(id, world) : undefined;
    if (view !== undefined) fleet.set(view);
  }
  return fleet;
}
