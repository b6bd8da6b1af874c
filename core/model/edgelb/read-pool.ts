import type { PoolFault } from './lenient.ts';
import type { Pool } from './pool.ts';
import { nameFault, poolFaults } from './pool-rules.ts';
import { poolShape } from './pool-shape.ts';
import { fromV1 } from './v1.ts';

export type ReadPool =
  /** `notes`: what was given and does nothing. */
  | { readonly kind: 'pool'; readonly pool: Pool; readonly notes: readonly PoolFault[] }
  | { readonly kind: 'faults'; readonly faults: readonly PoolFault[] };

/** Reads a pool as Edge-LB's clients write it, V2 or V1 (ingress.md A2): all its faults together, each with its path. */
export function readPool(value: unknown): ReadPool {
  const faults: PoolFault[] = [];
  const given = isV1(value) ? fromV1(value, faults) : value;
  const read = poolShape(given, '', faults);
  // Null is not the same as absent here: how many there are is left to the edges.
  const pool = read === undefined || !countIsNull(value) ? read : { ...read, count: null };
  if (pool !== undefined) faults.push(...poolFaults(pool));
  const real = faults.filter(({ ignored }) => ignored !== true);
  if (pool === undefined || real.length > 0) return { kind: 'faults', faults: real };
  return { kind: 'pool', pool, notes: faults };
}

export type ReadTemplate =
  | { readonly kind: 'template'; readonly name: string }
  | { readonly kind: 'faults'; readonly faults: readonly PoolFault[] };

/** A template is a pool that is not complete: only its name, and the types of what it says, are asked for (ingress.md A11). */
export function readTemplate(value: unknown): ReadTemplate {
  const faults: PoolFault[] = [];
  const read = poolShape(value, '', faults);
  const name = read?.name ?? '';
  const fault = nameFault(name, 'pool template name');
  if (fault !== undefined) faults.push({ path: '/name', error: fault });
  const real = faults.filter(({ ignored }) => ignored !== true);
  return real.length > 0 ? { kind: 'faults', faults: real } : { kind: 'template', name };
}

type Json = Readonly<Record<string, unknown>>;

/** Pools from before there were versions say none; `servers` tell them. */
function isV1(value: unknown): value is Json {
  if (!isObject(value)) return false;
  const { apiVersion, haproxy } = value;
  if (apiVersion !== undefined && apiVersion !== null) return apiVersion === 'V1';
  const backends = isObject(haproxy) ? haproxy['backends'] : undefined;
  return Array.isArray(backends) && backends.some((backend) => isObject(backend) && 'servers' in backend);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

function countIsNull(value: unknown): boolean {
  return isObject(value) && value['count'] === null;
}
