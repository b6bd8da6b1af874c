import { type AppInput, readApp } from './app-schema.ts';
import { flag, isObject, list, number, object, optional, type Reader, reader, text } from './schema.ts';

/** A group as clients write it: any part of it, nested (Marathon §5.3). */
export type GroupInput = {
  readonly id?: string;
  readonly apps?: readonly AppInput[];
  readonly groups?: readonly GroupInput[];
  readonly dependencies?: readonly string[];
  readonly scaleBy?: number;
  readonly version?: string;
  readonly enforceRole?: boolean;
};

/** Deeper than anybody nests groups; beyond it a document is refused rather than followed. */
const deepest = 64;

/** A group as the API's description names it: groups lie in groups. */
export const groupSchema = 'Group';
const reference = { $ref: `#/components/schemas/${groupSchema}` };

function groupAt(depth: number): Reader<GroupInput> {
  return reader(reference, (value, path, faults) => {
    if (depth <= deepest) return readAt(depth)(value, path, faults);
    faults.add(path, `groups may be nested ${deepest} deep`);
    return undefined;
  });
}

function readAt(depth: number): Reader<GroupInput> {
  return object({
    id: optional(text()),
    apps: optional(list(readApp)),
    groups: optional(list(named(groupAt(depth + 1)))),
    dependencies: optional(list(text({ minLength: 1 }))),
    scaleBy: optional(number({ min: 0 })),
    version: optional(text()),
    enforceRole: optional(flag),
  });
}

/** A group inside another one says which. */
function named(read: Reader<GroupInput>): Reader<GroupInput> {
  return reader(read.schema, (value, path, faults) => {
    if (isObject(value) && (value['id'] === undefined || value['id'] === null))
      faults.add(`${path}/id`, 'error.path.missing');
    return read(value, path, faults);
  });
}

/** Type level of a group document. */
export const readGroup: Reader<GroupInput> = readAt(0);
