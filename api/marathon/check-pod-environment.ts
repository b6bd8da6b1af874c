import type { EnvValue } from '../../core/model/env-value.ts';
import type { PodInput } from './pod-schema.ts';
import type { Faults } from './schema.ts';

const variable = /^[a-zA-Z_][a-zA-Z0-9_]{0,253}$/;

/** §19.1: of pods, names of variables are not free. Secrets they refer to are those of the pod. */
export function checkEnvironment(
  environment: Readonly<Record<string, EnvValue>>,
  { at, secrets }: { at: string; secrets: PodInput['secrets'] },
  faults: Faults,
): void {
  for (const [name, value] of Object.entries(environment)) {
    const path = `${at}/${name}`;
    if (!variable.test(name)) faults.add(path, `must fully match regular expression '${variable.source}'`);
    if (typeof value === 'string') checkPlain(value, path, faults);
    else if (!Object.hasOwn(secrets ?? {}, value.secret))
      faults.add(`${path}/secret`, 'references an undefined secret');
  }
}

/** What the operating system cannot hand to a program would only fail at every launch. */
export function checkPlain(text: string | undefined, at: string, faults: Faults): void {
  if (text?.includes('\0')) faults.add(at, 'must not contain a NUL character');
}
