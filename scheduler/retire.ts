import type { Placement } from '../core/model/placement.ts';
import type { Member } from './view.ts';

/**
 * The placement of an instance that is to end. One that serves drains first; one that never served, or whose agent is
 * lost, has nothing to drain.
 */
export function retired({ placement, instance, reach }: Member, reason: string, now: number): Placement {
  if (reach === 'present' && instance?.state.kind === 'running')
    return { ...placement, goal: 'drain', drainingSince: now, reason };
  return { ...placement, goal: 'stop', reason };
}
