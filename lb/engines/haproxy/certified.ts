import type { Certificate } from '../../../core/model/certificate.ts';
import { certificateCommands } from './certificate-changes.ts';
import { CertificateKeeper, type CertificateLists, type Issue } from './certificate-keeper.ts';
import { certificateList } from './doors.ts';
import type { Layout } from './layout.ts';
import { mapCommands } from './map-commands.ts';
import { scopeServed } from './scopes.ts';
import type { OpenSocket } from './sockets.ts';

export type CertifiedOptions = {
  readonly onLate: () => void;
  readonly patience: () => Promise<void>;
  readonly warn: (text: string) => void;
};

/** Everything about certificates that a configuration says. */
export type Certificates = {
  readonly lists: CertificateLists;
  /** Which names are asked for together. */
  readonly coverage: ReadonlyMap<string, string>;
};

const none: Certificates = { lists: new Map(), coverage: new Map() };

/** The certificates that HAProxy has, and those that it is to have. */
export class Certified {
  readonly #keeper: CertificateKeeper;
  readonly #warn: (text: string) => void;
  #present: Certificates = none;
  #warned = '';

  constructor(issue: Issue, { onLate, patience, warn }: CertifiedOptions) {
    this.#keeper = new CertificateKeeper(issue, { onLate, patience });
    this.#warn = warn;
  }

  give(given: ReadonlyMap<string, Certificate>): void {
    this.#keeper.give(given);
  }

  /** What these doors are to show and ask for, once it is there. */
  async wanted(layout: Layout, doors: readonly OpenSocket[]): Promise<Certificates> {
    const secure = doors.filter(({ listener }) => listener.protocol === 'https');
    if (secure.length > 0) await this.#keeper.serve(layout.hosts);
    this.#warnOf(layout.disputed);
    const lists = this.#keeper.lists(
      secure.map(({ listener, number }) => ({
        list: certificateList({ number }),
        names: listener.options?.certificates,
        asking: layout.asking(scopeServed(listener)),
      })),
    );
    return { lists, coverage: this.#keeper.coverage };
  }

  /** Undefined: only a new configuration can say it. */
  commandsFor({ lists, coverage }: Certificates): readonly string[] | undefined {
    const exchanges = certificateCommands(this.#present.lists, lists);
    return exchanges && [...exchanges, ...mapCommands('covered', this.#present.coverage, coverage)];
  }

  /** These are what the present process has. */
  has(present: Certificates): void {
    this.#present = present;
  }

  #warnOf(disputed: readonly string[]): void {
    const hosts = disputed.join(', ');
    if (hosts !== '' && hosts !== this.#warned)
      this.#warn(
        `HAProxy asks no client of ${hosts} for a certificate: the routes there want those of different authorities`,
      );
    this.#warned = hosts;
  }
}
