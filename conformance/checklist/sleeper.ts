import type { Definition } from '../product/definitions.ts';

/** Runs until it is stopped, and needs next to nothing. */
export function sleeper(id: string, more: object = {}): Definition {
  return { id, cmd: 'exec sleep 100000', cpus: 0.01, mem: 16, portDefinitions: [], ...more };
}

/** Waits for ever: no machine has room for it. */
export function big(id: string, more: object = {}): Definition {
  return sleeper(id, { cpus: 10_000, ...more });
}
