import { absoluteId } from './app-id.ts';
import { type AppInput, readApp, readUpdate } from './app-schema.ts';
import { checkApp } from './check-app.ts';
import { type AppDraft, normalise } from './normalise.ts';
import { outdatedBy } from './outdated.ts';
import { type Parsed, parseJson } from './parse-json.ts';
import { Faults, isObject } from './schema.ts';

/** A complete definition. `id`: from the URL, where it counts more than the one in the body. */
export function parseApp(body: unknown, id?: string): Parsed<AppDraft> {
  const typed = id === undefined ? parseJson(body, readApp) : parseJson(body, readUpdate);
  return typed.ok ? parseMeaning(typed.value, id ?? typed.value.id ?? '') : typed;
}

/** The type level alone, as for an update that is still to be merged with what is stored. */
export function parseTypes(body: unknown): Parsed<AppInput> {
  return parseJson(body, readUpdate);
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
  const given = isObject(body) ? present(body) : {};
  const kept = { ...stored };
  for (const field of outdatedBy(typed.value)) delete kept[field];
  return parseApp({ ...kept, ...given }, id);
}

/** `written`: the id as the client wrote it, perhaps relative. */
function parseMeaning(input: AppInput, written: string): Parsed<AppDraft> {
  const draft = normalise(input, absoluteId(written));
  const faults = new Faults();
  checkApp(input, { draft, written }, faults);
  if (faults.none) return { ok: true, value: draft };
  return { ok: false, status: 422, body: { message: 'Object is not valid', details: faults.details } };
}

function present(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}
