import { defaultLab } from './globals.ts';

export type Words = {
  /** As given, with a bare `--lab` spelled out, so that it does not swallow the word after it. */
  readonly words: readonly string[];
  /** Without any `--lab`. */
  readonly withoutLab: readonly string[];
  readonly lab: string | undefined;
};

/** Reads `--lab` and `--lab=NAME` before a `--`. */
export function readLab(argv: readonly string[]): Words {
  const end = argv.indexOf('--');
  const [own, rest] = end === -1 ? [argv, []] : [argv.slice(0, end), argv.slice(end)];
  const words = own.map((word) => (word === '--lab' ? `--lab=${defaultLab}` : word));
  const isLab = (word: string) => word.startsWith('--lab=');
  return {
    words: [...words, ...rest],
    withoutLab: [...words.filter((word) => !isLab(word)), ...rest],
    lab: words.findLast(isLab)?.slice('--lab='.length),
  };
}

/** The first word that is neither an option nor the value of one. */
export function commandWord(argv: readonly string[]): string | undefined {
  const index = argv.findIndex((word, at) => !word.startsWith('-') && argv[at - 1] !== '--master');
  return index === -1 ? undefined : argv[index];
}
