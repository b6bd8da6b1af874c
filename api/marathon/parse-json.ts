import type { ProblemBody } from '../problem.ts';
import { Faults, type Reader } from './schema.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly body: ProblemBody };

/** The type level of any body: an empty one is 400, wrong types are 422 with all faults together (Marathon §1.6). */
export function parseJson<T>(body: unknown, read: Reader<T>): Parsed<T> {
  if (body === undefined) {
    const message = 'Please specify data in JSON format';
    return { ok: false, status: 400, body: { message, details: 'No content to map due to end-of-input' } };
  }
  const faults = new Faults();
  const value = read(body, '/', faults);
  if (faults.none && value !== undefined) return { ok: true, value };
  return { ok: false, status: 422, body: { message: 'Invalid JSON', details: faults.details } };
}
