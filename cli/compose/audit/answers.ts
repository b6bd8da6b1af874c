import { Resolver } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { errorCode } from '../../../core/kit/errors.ts';
import type { Directory, Vip } from '../../../core/model/directory.ts';
import type { VipAudit, VipDrift } from '../../../lb/vip/backend.ts';
import type { Address } from '../agent-settings.ts';

export type AnswersParts = {
  readonly at: Address;
  readonly directory: () => Directory;
  /** Waits a moment for the resolver to have this revision, or a later one, in force; false: it takes longer. */
  readonly settled: (revision: number) => Promise<boolean>;
  /** Makes everybody put the whole Directory in force again; resolves when that is done, or seems to take too long. */
  readonly renew: () => Promise<void>;
};

/** Names asked in one round: all come in turn. */
const perRound = 50;

type Question = { readonly vip: Vip; readonly name: string; readonly address: string };
type Wrong = Question & { readonly said: string };

/**
 * Asks the resolver of this machine for names of VIPs, as an app would, and compares the answers with the Directory. Revisions
 * may come all the time: what counts is an answer that is wrong twice, of a VIP that stayed as it was.
 */
export class AnswersAudit implements VipAudit {
  readonly #parts: AnswersParts;
  readonly #resolver = new Resolver({ timeout: 1_000, tries: 2 });
  #next = 0;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.#resolver.setServers([`${parts.at.address}:${parts.at.port}`]);
  }

  async audit(): Promise<readonly VipDrift[]> {
    const { directory, settled, renew } = this.#parts;
    const before = directory();
    const suspects = await this.#wrong(this.#questions(before));
    if (suspects.length === 0 || !(await settled(before.revision))) return [];
    const wrong = await this.#wrong(suspects);
    if (wrong.length === 0) return [];
    await renew();
    const drift: VipDrift[] = [];
    for (const { said, ...question } of wrong)
      drift.push({
        what: `the name ${question.name} is answered with ${said} instead of ${question.address}`,
        repaired: (await this.#ask(question)) === undefined,
      });
    return drift;
  }

  async #wrong(questions: readonly Question[]): Promise<readonly Wrong[]> {
    const wrong: Wrong[] = [];
    for (const question of questions) {
      const said = await this.#ask(question);
      const stayed = this.#parts.directory().vips.get(question.vip.key) === question.vip;
      if (said !== undefined && stayed) wrong.push({ ...question, said });
    }
    return wrong;
  }

  #questions(directory: Directory): readonly Question[] {
    const all = [...directory.vips.values()].flatMap((vip) =>
      vip.names.map((name) => ({ vip, name, address: vip.address })),
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
