import { word } from './words.ts';

/** A line of HAProxy has at most 64 words. */
const mostPatterns = 50;

/**
 * A named condition: true when the fetched value fits one of the patterns. Anonymous conditions end at the first word that is a brace,
 * so a pattern from outside is never in one.
 */
export function acl(name: string, fetch: string, patterns: readonly string[], match = ''): readonly string[] {
  const lines: string[] = [];
  for (let from = 0; from < patterns.length; from += mostPatterns) {
    const words = patterns.slice(from, from + mostPatterns).map(word);
    lines.push(`acl ${name} ${fetch}${match === '' ? '' : ` -m ${match}`} -- ${words.join(' ')}`);
  }
  return lines;
}

/** Of the client, or of whom a trusted proxy names. */
export function addressAcl(name: string, ranges: readonly string[]): readonly string[] {
  return acl(name, 'src', ranges);
}

/** The value is exactly this; an empty word would end the line. */
export function equalAcl(name: string, fetch: string, value: string, ignoreCase = false): readonly string[] {
  if (value === '') return [`acl ${name} ${fetch} -m len 0`];
  return acl(name, `${fetch}${ignoreCase ? ' -i' : ''}`, [value], 'str');
}
