import type { ProblemBody } from '../problem.ts';
import { absoluteId } from './app-id.ts';
import { type AppInput, readApp } from './app-schema.ts';
import { checkApp } from './check-app.ts';
import { type AppDraft, normalise } from './normalise.ts';
import { Faults, isObject } from './schema.ts';

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly body: ProblemBody };

/** A complete definition. `id`: from the URL, where it counts more than the one in the body. */
export function parseApp(body: unknown, id?: string): Parsed<AppDraft> {
  const typed = parseTypes(body);
  if (!typed.ok) return typed;
  if (id === undefined && typed.value.id === undefined) return invalidJson('/id', 'error.path.missing');
  return parseMeaning(typed.value, id ?? absoluteId(typed.value.id ?? ''));
}

/** The type level alone, as for an update that is still to be merged with what is stored. */
export function parseTypes(body: unknown): Parsed<AppInput> {
  if (body === undefined)
    return {
      ok: false,
      status: 400,
      body: {
        message: 'Please specify data in JSON format',
        details: 'No content to map due to end-of-input',
      },
    };
  const faults = new Faults();
  const input = readApp(body, '/', faults);
  if (!faults.none || input === undefined) {
    return { ok: false, status: 422, body: { message: 'Invalid JSON', details: faults.details } };
  }
  return { ok: true, value: input };
}

/**
 * A partial update: the top-level fields given replace the stored ones as a whole, the rest stays (Marathon §3.4).
 * `stored` is the stored definition as JSON.
 */
export function parseUpdate(
  body: unknown,
  stored: Readonly<Record<string, unknown>>,
  id: string,
): Parsed<AppDraft> {
  const typed = parseTypes(body);
  if (!typed.ok) return typed;
  const given = isObject(body)
    ? Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
    : {};
  const kept = { ...stored };
  for (const field of outdatedBy(given)) delete kept[field];
  return parseApp({ ...kept, ...given }, id);
}

/** Stored fields that say the same as a given one in another form, or that make no sense beside it. */
function outdatedBy(given: Readonly<Record<string, unknown>>): readonly string[] {
  const fields: string[] = ['version'];
  if ('cmd' in given) fields.push('args');
  if ('args' in given) fields.push('cmd');
  if ('ports' in given) fields.push('portDefinitions');
  if ('ipAddress' in given) fields.push('networks');
  const networks = given['networks'];
  const networked =
    Array.isArray(networks) &&
    networks.some((network: unknown) => isObject(network) && network['mode'] !== 'host');
  if (networked || 'ipAddress' in given) fields.push('portDefinitions', 'requirePorts');
  return fields;
}

function parseMeaning(input: AppInput, id: string): Parsed<AppDraft> {
  const faults = new Faults();
  checkApp(input, id, faults);
  if (!faults.none)
    return { ok: false, status: 422, body: { message: 'Object is not valid', details: faults.details } };
  return { ok: true, value: normalise(input, id) };
}

function invalidJson(path: string, error: string): Parsed<never> {
  return { ok: false, status: 422, body: { message: 'Invalid JSON', details: [{ path, errors: [error] }] } };
}
