import type { AppInput } from './app-schema.ts';
import type { AppDraft } from './normalise.ts';
import type { Faults } from './schema.ts';

/** A limit below the request could never be kept (Marathon §10.1). */
export function checkLimits({ resourceLimits = {} }: AppInput, draft: AppDraft, faults: Faults): void {
  for (const name of ['cpus', 'mem'] as const) {
    const limit = resourceLimits[name];
    if (typeof limit === 'number' && limit < draft[name])
      faults.add(`/resourceLimits/${name}`, `must be greater than or equal to the requested ${draft[name]}`);
  }
}
