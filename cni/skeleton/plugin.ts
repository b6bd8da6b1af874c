import type { JsonObject } from '../json.ts';
import type { AttachmentKey } from '../names.ts';
import type { CniResult } from '../result/result.ts';
import type { CniVersion } from '../versions.ts';

/** A plugin, as far as it is its own. Variables, versions, errors and formats are the skeleton's. */
export type Plugin = {
  /** Versions it accepts. */
  readonly versions: readonly CniVersion[];
  /** Attaches, or changes what the plugin before did (`previous`). Whatever it throws, it has undone what it did. */
  add(request: AttachmentRequest): Promise<CniResult>;
  /** Undoes `add`. Succeeds when there is nothing to undo: no namespace, no interface, no previous result. */
  del(request: AttachmentRequest): Promise<void>;
  /** Throws when what `add` made is not as it was. Changes nothing. */
  check(request: AttachmentRequest & { readonly previous: CniResult }): Promise<void>;
  /** Removes what belongs to none of `valid`. Goes on after an error. */
  gc(request: PluginRequest & { readonly valid: readonly AttachmentKey[] }): Promise<void>;
  /** Throws a PluginError 50 or 51 when an `add` would not be served. */
  status(request: PluginRequest): Promise<void>;
};

export type PluginRequest = {
  readonly network: string;
  readonly cniVersion: CniVersion;
  /** The whole configuration. */
  readonly config: JsonObject;
  readonly runtimeConfig: JsonObject;
  /** Directories of plugins, for delegates. */
  readonly path: readonly string[];
  /** How the plugin was called, for delegates: they get the same. */
  readonly call: { readonly env: Readonly<Record<string, string | undefined>>; readonly stdin: string };
};

export type AttachmentRequest = PluginRequest &
  AttachmentKey & {
    /** Empty on a DEL without a namespace. */
    readonly netns: string;
    readonly args: string;
    readonly previous?: CniResult;
  };

/** An error with a number of the specification, or from 100 on one of the plugin's own. */
export class PluginError extends Error {
  readonly cniCode: number;
  readonly details: string;

  constructor(cniCode: number, message: string, details = '') {
    super(message);
    this.name = 'PluginError';
    this.cniCode = cniCode;
    this.details = details;
  }
}

export const PLUGIN_CODES = {
  version: 1,
  field: 2,
  unknownContainer: 3,
  environment: 4,
  io: 5,
  decoding: 6,
  config: 7,
  later: 11,
  unavailable: 50,
  limited: 51,
  internal: 999,
} as const;
