import type { Version } from './ids.ts';

/** What a user says of a group itself, apart from what is in it. */
export type GroupSettings = {
  /** Absolute ids of apps and groups that everything in this group is started after (Marathon §15.2). */
  readonly dependencies?: readonly string[];
  /** Groups right below the root: apps in it get its name for their role. */
  readonly enforceRole?: boolean;
};

/** A group that exists though nothing may be in it, with the version of the last change in or below it. */
export type Group = GroupSettings & { readonly id: string; readonly version: Version };

/** The parent of an app or a group; of the root, itself. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

/** Every group that a path lies in, the nearest first, the root last. */
export function ancestorsOf(path: string): readonly string[] {
  const parent = parentOf(path);
  return path === '/' ? [] : [parent, ...ancestorsOf(parent)];
}
