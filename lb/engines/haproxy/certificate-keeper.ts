import type { Certificate } from '../../../core/model/certificate.ts';
import type { KeyAndCertificate } from '../../edge/tls/certificates.ts';
import type { Asking } from './asking.ts';
import { askingFiles } from './asking-files.ts';
import {
  type CertificateFile,
  certificateFiles,
  chosenFiles,
  fallbackName,
  wantedNames,
} from './certificate-files.ts';
import { coverageOf } from './misdirection-lines.ts';

/** The certificates that doors choose from, by the names of their lists. */
export type CertificateLists = ReadonlyMap<string, readonly CertificateFile[]>;

export type WantedList = {
  readonly list: string;
  /** What it is to be chosen from; undefined: from all. */
  readonly names: readonly string[] | undefined;
  readonly asking: Asking;
};

export type Issue = (name: string) => Promise<KeyAndCertificate>;

/** Made before a table is in force; more of them are made behind it. */
const mostAwaited = 32;
const mostIssued = 1_000;

/** The certificates that HAProxy is to have: given ones, and for other hosts those that someone makes on demand. */
export class CertificateKeeper {
  readonly #issue: Issue;
  readonly #onLate: () => void;
  readonly #patience: () => Promise<void>;
  readonly #issued = new Map<string, KeyAndCertificate>();
  readonly #asked = new Set<string>();
  #given: ReadonlyMap<string, Certificate> = new Map();
  #hosts: readonly string[] = [];
  #coverage: ReadonlyMap<string, string> | undefined;

  /** `onLate`: there are more than before. `patience`: how long the making of some may hold up a table. */
  constructor(issue: Issue, { onLate, patience }: { onLate: () => void; patience: () => Promise<void> }) {
    this.#issue = issue;
    this.#patience = patience;
    this.#onLate = onLate;
  }

  lists(wanted: readonly WantedList[]): CertificateLists {
    const given = this.#given;
    const usual = certificateFiles({ given, hosts: this.#hosts, issued: this.#issued });
    return new Map(
      wanted.map(({ list, names, asking }) => {
        const files = (names && chosenFiles(given, names)) ?? usual;
        return [list, askingFiles(files, asking)] as const;
      }),
    );
  }

  /** Which names connections may ask for beside the one they greeted with. */
  get coverage(): ReadonlyMap<string, string> {
    this.#coverage ??= coverageOf(this.#given);
    return this.#coverage;
  }

  give(given: ReadonlyMap<string, Certificate>): void {
    if (given !== this.#given) this.#coverage = undefined;
    this.#given = given;
  }

  /** Resolves when there is a fallback, and one for each of these hosts unless they are many. */
  async serve(hosts: readonly string[]): Promise<void> {
    this.#hosts = hosts;
    const missing = wantedNames({ given: this.#given, hosts })
      .filter((name) => !this.#issued.has(name) && !this.#asked.has(name))
      .slice(0, mostIssued);
    for (const name of missing) this.#asked.add(name);
    const [first, rest] = [missing.slice(0, mostAwaited), missing.slice(mostAwaited)];
    const made = Promise.all(first.map((name) => this.#make(name)));
    // Nobody can be served without the fallback.
    const isLate = await Promise.race([
      made.then(() => false),
      ...(first.includes(fallbackName) ? [] : [this.#patience().then(() => true)]),
    ]);
    if (isLate || rest.length > 0)
      void Promise.all([made, ...rest.map((name) => this.#make(name))]).then(this.#onLate, () => {});
  }

  async #make(name: string): Promise<void> {
    try {
      this.#issued.set(name, await this.#issue(name));
    } catch (error) {
      if (name === fallbackName) throw error;
    } finally {
      this.#asked.delete(name);
    }
  }
}
