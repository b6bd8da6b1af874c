import { parse } from 'yaml';
import { errorText } from '../../core/kit/errors.ts';
import { BadFile, nameOf, readText } from '../app/definition.ts';

/** The pool in a file of JSON or YAML, which is the same to a reader of YAML. Throws BadFile. */
export async function parseYaml(file: string): Promise<{ readonly name: string }> {
  const value = await parseYamlObject(file);
  if ('name' in value && typeof value.name === 'string') return { ...value, name: value.name };
  throw new BadFile(nameOf(file), 'expected the definition of a pool, with its name');
}

/** Throws BadFile. */
export async function parseYamlObject(file: string): Promise<object> {
  const text = await readText(file);
  const name = nameOf(file);
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    throw new BadFile(name, `it is neither JSON nor YAML: ${errorText(error)}`, error);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new BadFile(name, 'expected one object');
}
