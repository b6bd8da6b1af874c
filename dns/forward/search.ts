import { type Reply, status } from '../handler.ts';
import { RCODE } from '../wire/types.ts';

/** Asks one upstream; undefined when it gave no reply. Never rejects. */
export type Try = () => Promise<Reply | undefined>;

/** Another is asked as well when there was no answer for so long. */
const hedgeMs = 400;

/**
 * Asks group after group, those of a group at once. The first good reply wins; SERVFAIL and REFUSED do not end the search, nor
 * does silence (dns.md §14.26, §14.27). If none does better, the first such reply is given; undefined: nobody answered.
 */
export function searched(groups: readonly (readonly Try[])[]): Promise<Reply | undefined> {
  return new Search(groups).result;
}

class Search {
  readonly #groups: (readonly Try[])[];
  readonly #done = Promise.withResolvers<Reply | undefined>();
  #asked = 0;
  #poor: Reply | undefined;
  #hedge: NodeJS.Timeout | undefined;

  constructor(groups: readonly (readonly Try[])[]) {
    this.#groups = [...groups];
    this.#next();
  }

  get result(): Promise<Reply | undefined> {
    return this.#done.promise;
  }

  #next(): void {
    clearTimeout(this.#hedge);
    const group = this.#groups.shift();
    if (group === undefined) {
      if (this.#asked === 0) this.#done.resolve(this.#poor);
      return;
    }
    for (const ask of group) {
      this.#asked += 1;
      ask().then((reply) => this.#heard(reply));
    }
    this.#hedge = setTimeout(() => this.#next(), hedgeMs).unref();
  }

  #heard(reply: Reply | undefined): void {
    this.#asked -= 1;
    if (reply !== undefined && isGood(reply)) {
      clearTimeout(this.#hedge);
      this.#groups.length = 0;
      this.#done.resolve(reply);
      return;
    }
    this.#poor ??= reply;
    if (this.#asked === 0) this.#next();
  }
}

function isGood({ rcode }: Reply): boolean {
  return rcode !== RCODE.SERVFAIL && rcode !== RCODE.REFUSED;
}

/** What is said when nobody answered. */
export function nobody(code: number, text: string): Reply {
  return status(RCODE.SERVFAIL, { extended: { code, text } });
}
