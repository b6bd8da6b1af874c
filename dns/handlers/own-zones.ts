import type { Handler } from '../handler.ts';
import { type Chance, lookUp } from '../lookup.ts';
import type { Zone } from '../zone.ts';

/** Answers for every name of our zones. `zone` gives the one in force now. */
export function ownZonesHandler(zone: () => Zone, chance: Chance): Handler {
  return {
    name: 'own-zones',
    answer: (question, next) => lookUp(zone(), question, chance) ?? next(question),
  };
}
