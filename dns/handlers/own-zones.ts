import { EXTENDED } from '../extended.ts';
import { type Handler, status } from '../handler.ts';
import { type Chance, lookUp } from '../lookup.ts';
import { RCODE } from '../wire/types.ts';
import type { Zone } from '../zone.ts';

const notReady = { code: EXTENDED.notReady, text: 'no Directory yet' };

/** Answers for every name of our zones. `zone` gives the one in force now. */
export function ownZonesHandler(zone: () => Zone, chance: Chance): Handler {
  return {
    name: 'own-zones',
    answer(question, next) {
      const now = zone();
      const reply = lookUp(now, question, chance);
      if (reply === undefined) return next(question);
      // without a Directory nothing can be said of a name, least of all that it does not exist
      return now.ready ? reply : status(RCODE.SERVFAIL, { extended: notReady });
    },
  };
}
