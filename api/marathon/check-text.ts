import type { AppInput } from './app-schema.ts';
import type { Faults } from './schema.ts';

/** What the operating system cannot hand to a program: it would only fail at every launch. */
export function checkText(input: AppInput, faults: Faults): void {
  const check = (text: string | undefined, path: string) => {
    if (text?.includes('\0')) faults.add(path, 'must not contain a NUL character');
  };
  check(input.cmd, '/cmd');
  check(input.user, '/user');
  for (const [index, arg] of (input.args ?? []).entries()) check(arg, `/args(${index})`);
  for (const [name, value] of Object.entries(input.env ?? {})) {
    if (name === '') faults.add('/env', 'must not contain an empty name');
    if (name.includes('=')) faults.add(`/env/${name}`, 'must not have a = in its name');
    check(name, '/env');
    if (typeof value === 'string') check(value, `/env/${name}`);
  }
  for (const [index, volume] of (input.container?.volumes ?? []).entries()) {
    check(volume.hostPath, `/container/volumes(${index})/hostPath`);
    check(volume.containerPath, `/container/volumes(${index})/containerPath`);
  }
}
