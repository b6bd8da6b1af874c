import type { AppInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

/** What a deployment would wait for without ever asking is refused by name, never ignored. */
export function checkNotSupported(input: AppInput, faults: Faults): void {
  const refuse = (applies: boolean, path: string, what: string) => {
    if (applies) faults.add(path, `not supported yet: ${what}`);
  };
  refuse(input.check !== undefined, '/check', 'general checks');
  refuse((input.readinessChecks ?? []).length > 0, '/readinessChecks', 'readiness checks');
}
