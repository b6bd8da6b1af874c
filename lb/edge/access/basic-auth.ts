import { hash, randomBytes } from 'node:crypto';
import type { BasicAuth } from '../../../core/model/route.ts';
import { matchesCrypted } from './sha-crypt.ts';

export type AuthVerdict = 'granted' | 'denied' | 'busy';

const maxRemembered = 2_000;
const maxWaiting = 32;

/**
 * Checks HTTP Basic credentials (RFC 7617). A password is slow to check on purpose, so one is checked at a time, in slices,
 * and verdicts are remembered (not the passwords). With too many waiting the answer is `busy`: guessing must not slow others.
 */
export class Passwords {
  readonly #key = randomBytes(16).toString('hex');
  readonly #verdicts = new Map<string, 'granted' | 'denied'>();
  readonly #waiting = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  /** The verdict, or a promise after which it is known. `authorization`: the value of the field, empty when there is none. */
  check(auth: BasicAuth, authorization: string): AuthVerdict | Promise<void> {
    const [, coded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(authorization) ?? [];
    const pair = Buffer.from(coded ?? '', 'base64').toString('utf8');
    const colon = pair.indexOf(':');
    if (colon === -1 || pair.slice(0, colon) !== auth.user) return 'denied';
    const password = pair.slice(colon + 1);
    const about = hash('sha256', `${this.#key}\n${auth.crypted}\n${password}`);
    const known = this.#verdicts.get(about) ?? this.#waiting.get(about);
    if (known !== undefined) return known;
    return this.#waiting.size >= maxWaiting ? 'busy' : this.#begin(about, password, auth.crypted);
  }

  #begin(about: string, password: string, crypted: string): Promise<void> {
    this.#last = this.#last.then(async () => {
      const matches = await matchesCrypted(password, crypted);
      this.#waiting.delete(about);
      this.#remember(about, matches ? 'granted' : 'denied');
    });
    this.#waiting.set(about, this.#last);
    return this.#last;
  }

  #remember(about: string, verdict: 'granted' | 'denied'): void {
    const [oldest] = this.#verdicts.keys();
    if (this.#verdicts.size >= maxRemembered && oldest !== undefined) this.#verdicts.delete(oldest);
    this.#verdicts.set(about, verdict);
  }
}
