import type { AppInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

/** Marathon §18.3. References are checked although no secret can be given yet, so that the wrong ones are known at once. */
export function checkSecrets(input: AppInput, faults: Faults): void {
  const secrets = input.secrets ?? {};
  if (Object.keys(secrets).length > 0) faults.add('/secrets', 'not supported yet: secrets');
  for (const [name, value] of Object.entries(input.env ?? {})) {
    if (typeof value === 'string') continue;
    const path = `/env/${name}/secret`;
    if (!Object.hasOwn(secrets, value.secret)) faults.add(path, 'references an undefined secret');
    faults.add(path, 'not supported yet: secrets');
    const error = 'use of secret-references in the environment requires the secrets feature to be enabled';
    faults.add('/env', error);
  }
}
