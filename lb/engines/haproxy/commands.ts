import { errorText } from '../../../core/kit/errors.ts';

const mostAtOnce = 500;
/** What HAProxy says when it did as it was told. */
const expected =
  /^(New server registered|Server deleted|New empty certificate store|Transaction (created|updated) for certificate|Committing|Inserting certificate|Entry .* deleted in crtlist|Certificate .* deleted|IP changed from|no need to change the addr)/;

export type CommandsOptions = {
  readonly ask: (commands: readonly string[]) => Promise<readonly string[]>;
  readonly warn: (text: string) => void;
};

/** Has HAProxy do these things, one after the other. False when it did not understand one: then only a new configuration helps. */
export async function command({ ask, warn }: CommandsOptions, commands: readonly string[]): Promise<boolean> {
  let understood = true;
  for (let from = 0; from < commands.length; from += mostAtOnce) {
    const batch = commands.slice(from, from + mostAtOnce);
    const answers = await ask(batch).catch((error: unknown) => {
      warn(errorText(error));
      return undefined;
    });
    if (answers === undefined) return false;
    for (const [n, answer] of answers.entries()) {
      if (answer === '' || expected.test(answer)) continue;
      warn(`HAProxy answers "${answer}" to "${batch[n]}"`);
      understood = false;
    }
  }
  return understood;
}
