import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { errorText, WeirError } from '../../core/kit/errors.ts';
import { UsageError } from '../usage-error.ts';

/** A file that cannot be read, or holds something else than a JSON object. */
export class BadFile extends WeirError {
  constructor(file: string, detail: string, cause?: unknown) {
    super('WEIR_BAD_FILE', `Cannot read ${file}: ${detail}`, { cause });
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON object in a file, or in standard input for `-`. Throws BadFile. */
export async function readDefinition(file: string): Promise<JsonObject> {
  return parseObject(nameOf(file), await readText(file));
}

/** What is in a file, or in standard input for `-`. Throws BadFile. */
export async function readText(file: string): Promise<string> {
  const text = file === '-' ? textOf(process.stdin) : readFile(file, 'utf8');
  return text.catch((error: unknown) => {
    throw new BadFile(nameOf(file), errorText(error), error);
  });
}

export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}

function parseObject(name: string, text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (error) {
    throw new BadFile(name, `it is not JSON: ${errorText(error)}`, error);
  }
  throw new BadFile(name, 'expected one JSON object, the definition of an app');
}

/** Fields whose parts are texts whatever they look like. */
const textMaps = ['env', 'labels'];
const texts = ['cmd', 'user', 'version', 'killSelection', 'executor'];

/**
 * `cpus=0.5 env.LEVEL=debug` as a partial definition. Marathon replaces a top-level field as a whole, so a dotted name
 * starts from what the app has (`current`, asked for only then).
 */
export async function parseAssignments(
  words: readonly string[],
  current: () => Promise<JsonObject>,
): Promise<JsonObject> {
  const changes: Record<string, unknown> = {};
  for (const word of words) {
    const [name, value] = splitAssignment(word);
    const [field = '', ...path] = name.split('.');
    if (path.length === 0) changes[field] = texts.includes(field) ? value : parseValue(value);
    else if (textMaps.includes(field)) {
      // The name of a variable or label may hold dots itself.
      changes[field] = { ...objectIn(changes[field] ?? (await current())[field]), [path.join('.')]: value };
    } else changes[field] = put(changes[field] ?? (await current())[field], path, parseValue(value));
  }
  return changes;
}

function splitAssignment(word: string): readonly [string, string] {
  const at = word.indexOf('=');
  if (at > 0) return [word.slice(0, at), word.slice(at + 1)];
  throw new UsageError(
    `"${word}" is neither a file nor key=value`,
    'Example: weir app update /web instances=3 env.LEVEL=debug',
  );
}

/** JSON where it is JSON, else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function put(object: unknown, [field = '', ...rest]: readonly string[], value: unknown): JsonObject {
  const before = objectIn(object);
  return { ...before, [field]: rest.length === 0 ? value : put(before[field], rest, value) };
}

function objectIn(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
