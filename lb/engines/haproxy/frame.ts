import type { EdgeSettings } from '../../edge/settings.ts';
import type { Door } from './doors.ts';

/** What a configuration is made of. */
export type Frame = {
  readonly settings: EdgeSettings;
  /** Where it takes commands. */
  readonly control: string;
  readonly doors: readonly Door[];
  /** Nobody has given a table yet. */
  readonly isEmpty: boolean;
  readonly hasWildcards: boolean;
  /** Some clients are asked for certificates. */
  readonly asks: boolean;
  /** Some routes may refuse who asks. */
  readonly restricts: boolean;
  /** Some backends call the script. */
  readonly isScripted: boolean;
  /** Rules that find out what chains ask for, and those of the chains. */
  readonly facts: readonly string[];
  readonly chains: readonly string[];
  readonly backends: readonly string[];
};

/** Files in HAProxy's own folder, beside the maps. */
export const fileNames = { configuration: 'haproxy.cfg', scopes: 'scopes.map', sick: 'sick.state' } as const;
