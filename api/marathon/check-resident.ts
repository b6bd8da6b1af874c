import type { AppInput } from './app-schema.ts';
import type { AppDraft } from './normalise.ts';
import { isResident, keepsData } from './residency-of.ts';
import type { Faults } from './schema.ts';

/** Apps whose data outlives their instances (Marathon §10.3, §18.1). */
export function checkResident(input: AppInput, draft: AppDraft, faults: Faults): void {
  const over = draft.upgradeStrategy.maximumOverCapacity;
  if (keepsData(input) && over !== 0)
    faults.add('/upgradeStrategy/maximumOverCapacity', `got ${over}, expected 0.0`);
  if (isResident(input)) {
    if (draft.unreachableStrategy !== 'disabled')
      faults.add('/unreachableStrategy', 'unreachableStrategy must be disabled for resident tasks');
    if (draft.acceptedResourceRoles?.some((role) => role !== '*'))
      faults.add('/acceptedResourceRoles', 'A resident app must have `acceptedResourceRoles = ["*"]`.');
  }
  const owned = (input.container?.volumes ?? []).some(({ external }) => external && external.shared !== true);
  if (owned && draft.instances > 1)
    faults.add('/instances', `got ${draft.instances}, expected 1 or less: an external volume is not shared`);
}
