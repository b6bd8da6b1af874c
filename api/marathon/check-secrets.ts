import type { AppInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

/** Marathon §18.3: what is referred to has to be named by the app. */
export function checkSecrets(input: AppInput, faults: Faults): void {
  const isKnown = (name: string) => Object.hasOwn(input.secrets ?? {}, name);
  for (const [name, value] of Object.entries(input.env ?? {}))
    if (typeof value !== 'string' && !isKnown(value.secret))
      faults.add(`/env/${name}/secret`, 'references an undefined secret');
  for (const [index, { secret }] of (input.container?.volumes ?? []).entries())
    if (secret !== undefined && !isKnown(secret))
      faults.add(`/container/volumes(${index})/secret`, 'volume.secret must refer to an existing secret');
  const pull = input.container?.docker?.pullConfig?.secret;
  if (pull !== undefined && !isKnown(pull))
    faults.add('/container/docker/pullConfig/secret', 'pullConfig.secret must refer to an existing secret');
}
