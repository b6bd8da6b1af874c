/** JSON whose numbers keep the digits they were written with. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json | undefined };

// TypeScript's library does not know these two parts of ECMAScript yet (proposal "JSON.parse source text access").
type RawJson = { rawJSON(text: string): JsonObject };
type Source = { readonly source?: string };

/**
 * Parses JSON. A number that a double cannot hold (9007199254740993) becomes a raw value, which JSON.stringify writes back digit for
 * digit: a plugin must receive what the operator wrote.
 * @throws SyntaxError
 */
export function parseJson(text: string): Json {
  return JSON.parse(text, keepDigits);
}

function keepDigits(_key: string, value: unknown, context?: Source): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value;
  if (Number.isSafeInteger(value) || String(value) === context.source) return value;
  return (JSON as unknown as RawJson).rawJSON(context.source);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy without the keys for which `drop` says yes. */
export function omit(object: JsonObject, drop: (key: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !drop(key)));
}
