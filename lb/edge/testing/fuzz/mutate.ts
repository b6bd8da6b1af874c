import type { Chance } from './chance.ts';

/** Bytes that parsers treat in a special way, and neighbours of theirs. */
const special = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  '\t',
  ' ',
  '\x0b',
  '\x0c',
  '\x1f',
  '\x7f',
  '\x80',
  '\xa0',
  '\xff',
  ':',
  ';',
  ',',
  '"',
  '\\',
  '#',
  '/',
  '%',
  '+',
  '-',
  '0',
  '9',
  'a',
  'A',
  '\r\n\r\n',
  '\r\n ',
  '0\r\n\r\n',
  'Content-Length: 3\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Connection: close\r\n',
  'HTTP/1.1',
];

/** The text with one to four small damages; `other` lends pieces. */
export function mutate(chance: Chance, text: string, other: string): string {
  let mutant = text;
  for (let n = chance.happens(0.7) ? 1 : 2 + chance.below(3); n > 0; n--)
    mutant = once(chance, mutant, other);
  return mutant;
}

function once(chance: Chance, text: string, other: string): string {
  const at = chance.below(text.length + 1);
  const to = Math.min(text.length, at + 1 + chance.below(chance.happens(0.8) ? 3 : 40));
  const [before, piece, after] = [text.slice(0, at), text.slice(at, to), text.slice(to)];
  switch (chance.below(8)) {
    case 0:
      return before + after;
    case 1:
      return before + piece + piece + after;
    case 2:
      return before + String.fromCharCode(chance.below(256)) + text.slice(at + 1);
    case 3:
      return before + String.fromCharCode(chance.below(256)) + piece + after;
    case 4:
      return before + chance.of(special) + piece + after;
    case 5:
      return before + chance.of(special) + after;
    case 6:
      return before + swapCase(piece) + after;
    default: {
      const from = chance.below(other.length + 1);
      return before + other.slice(from, from + chance.below(60)) + after;
    }
  }
}

function swapCase(text: string): string {
  const upper = text.toUpperCase();
  return upper === text ? text.toLowerCase() : upper;
}
