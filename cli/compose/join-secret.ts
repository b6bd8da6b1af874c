import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { keptJoinSecret } from '../../api/join-secret.ts';
import type { Part } from '../../core/kit/part.ts';
import type { Database } from '../../core/state/database.ts';
import type { Address } from './agent-settings.ts';

type Settings = {
  readonly api: Address;
  readonly joinSecret?: string;
  readonly authentication?: object;
};

const fileName = 'join-secret';

export function joinSecretOption(what: string): Option {
  return new Option('--join-secret <secret>', what).env('WEIR_JOIN_SECRET').argParser((text: string) => {
    if (/^[\x21-\x7e]{8,200}$/.test(text)) return text;
    throw new InvalidArgumentError('expected 8 to 200 visible characters');
  });
}

/** For masters and for `weir dev`, which is one. */
export function joinOptions(command: Command): Command {
  return command.addOption(
    joinSecretOption(
      'what edges prove themselves with before they are told keys; default: made once, in master/join-secret of the data folder',
    ),
  );
}

/** What the agent of this data folder was given. */
export async function givenJoinSecret(dataDir: string): Promise<string | undefined> {
  const text = await readFile(join(dataDir, fileName), 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : text.trim();
}

/** The secret of a master, known from when it leads; written for the operator to give to edges. */
export class JoinSecret implements Part {
  readonly #settings: Settings;
  readonly #database: Database;
  readonly #file: string;
  #secret: string | undefined;

  constructor(settings: Settings, database: Database, folder: string) {
    this.#settings = settings;
    this.#database = database;
    this.#file = join(folder, fileName);
  }

  /** Undefined: everybody who gets in is believed, since only this machine can, or only who has credentials. */
  get wanted(): string | undefined {
    const { authentication, api, joinSecret } = this.#settings;
    const isOpen = authentication !== undefined || api.address.startsWith('127.');
    return isOpen && joinSecret === undefined ? undefined : this.#secret;
  }

  /** For an agent in this process. */
  get value(): string | undefined {
    return this.#secret;
  }

  async start(): Promise<void> {
    const made = randomBytes(24).toString('base64url');
    this.#secret = this.#settings.joinSecret ?? (await keptJoinSecret(this.#database.store, made));
    await rm(this.#file, { force: true });
    await writeFile(this.#file, `${this.#secret}\n`, { mode: 0o600 });
  }

  async stop(): Promise<void> {}
}
