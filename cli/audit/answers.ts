import { Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { errorCode } from '../../core/kit/errors.ts';
import type { Directory } from '../../core/model/directory.ts';
import type { VipAudit, VipDrift } from '../../lb/vip/backend.ts';
import type { Address } from '../agent-settings.ts';

export type AnswersParts = {
  readonly at: Address;
  readonly directory: () => Directory;
  /** False while somebody still puts a revision in force: no answer is wrong then. */
  readonly inForce: () => boolean;
  /** Makes everybody put the whole Directory in force again; resolves when that is done, or seems to take too long. */
  readonly renew: () => Promise<void>;
};

/** Names asked in one round: all come in turn. */
const perRound = 50;

type Question = { readonly name: string; readonly address: string };

/** Asks the resolver of this machine for names of VIPs, as an app would, and compares the answers with the Directory. */
export class AnswersAudit implements VipAudit {
  readonly #parts: AnswersParts;
  readonly #resolver = new Resolver({ timeout: 1_000, tries: 2 });
  #next = 0;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.#resolver.setServers([`${parts.at.address}:${parts.at.port}`]);
  }

  async audit(): Promise<readonly VipDrift[]> {
    const { directory, inForce, renew } = this.#parts;
    const before = directory();
    if (!inForce()) return [];
    const wrong: (Question & { readonly said: string })[] = [];
    for (const question of this.#questions(before)) {
      const said = await this.#ask(question);
      if (said !== undefined) wrong.push({ ...question, said });
    }
    // A change came in between: an answer may be of either revision.
    if (wrong.length === 0 || directory() !== before || !inForce()) return [];
    await renew();
    const drift: VipDrift[] = [];
    for (const { said, ...question } of wrong)
      drift.push({
        what: `the name ${question.name} is answered with ${said} instead of ${question.address}`,
        repaired: (await this.#ask(question)) === undefined,
      });
    return drift;
  }

  #questions(directory: Directory): readonly Question[] {
    const all = [...directory.vips.values()].flatMap(({ names, address }) =>
      names.map((name) => ({ name, address })),
    );
    const from = this.#next >= all.length ? 0 : this.#next;
    this.#next = from + perRound;
    return all.slice(from, from + perRound);
  }

  /** Undefined: the answer is right. */
  async #ask({ name, address }: Question): Promise<string | undefined> {
    try {
      const found = isIPv6(address)
        ? await this.#resolver.resolve6(name)
        : await this.#resolver.resolve4(name);
      return found.includes(address) ? undefined : found.join(', ');
    } catch (error) {
      return `nothing (${errorCode(error) ?? 'no answer'})`;
    }
  }
}
