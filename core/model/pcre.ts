/**
 * An expression of RE2 as PCRE reads it, or why there is none. What the two read differently is refused, and so is what can take PCRE
 * exponential time: repetition inside of what is repeated.
 */
export type Pcre = { readonly pattern: string } | { readonly fault: string };

type State = {
  readonly source: string;
  at: number;
  /** Repetitions without a bound. */
  unbounded: number;
};

/** What a piece of an expression holds that must not be repeated. */
type Piece = { readonly text: string; readonly branches: boolean };

const mostUnbounded = 4;
/** Same meaning in both, outside of classes and within. */
const plainEscapes = new Set(['d', 'D', 'w', 'W', 't', 'n', 'r', 'f']);
const spaces = '\\t\\n\\f\\r\\x20';

class Refused extends Error {}

/** `source` is one that RE2 takes; the pattern is for the whole text. */
export function pcreOf(source: string): Pcre {
  try {
    return { pattern: `^(?:${translate(source).text})\\z` };
  } catch (error) {
    if (error instanceof Refused) return { fault: error.message };
    throw error;
  }
}

/** The same without being bound to the whole text; for what replaces a part. */
export function loosePcreOf(source: string): Pcre {
  try {
    return { pattern: translate(source).text };
  } catch (error) {
    if (error instanceof Refused) return { fault: error.message };
    throw error;
  }
}

function translate(source: string): Piece {
  if (/[^ -~\t]/.test(source)) throw new Refused('has other characters than ASCII');
  const state: State = { source, at: 0, unbounded: 0 };
  const piece = alternatives(state);
  if (state.at < source.length) throw new Refused('has a bracket too much');
  if (state.unbounded > mostUnbounded)
    throw new Refused(`repeats without a bound more than ${mostUnbounded} times`);
  return piece;
}

function alternatives(state: State): Piece {
  let text = '';
  let branches = false;
  while (state.at < state.source.length) {
    const next = state.source[state.at]!;
    if (next === ')') break;
    if (next === '|') {
      state.at++;
      text += '|';
      branches = true;
      continue;
    }
    const piece = atom(state);
    const repeated = repetition(state);
    if (repeated !== '' && piece.branches && !/^(?:\{1\}|\?)?\??$/.test(repeated))
      throw new Refused('repeats what can be read in several ways');
    branches ||= piece.branches || repeated !== '';
    text += piece.text + repeated;
  }
  return { text, branches };
}

function atom(state: State): Piece {
  const next = state.source[state.at++]!;
  const plain = (text: string): Piece => ({ text, branches: false });
  switch (next) {
    case '(':
      return group(state);
    case '[':
      return plain(characterClass(state));
    case '\\':
      return plain(escaped(state, false));
    case '.':
    case '^':
      return plain(next);
    case '$':
      return plain('\\z');
    default:
      return plain(quoted(next));
  }
}

function group(state: State): Piece {
  const rest = state.source.slice(state.at);
  const named = /^\?P?<[A-Za-z_]\w*>/.exec(rest)?.[0];
  const open = rest.startsWith('?:') ? '?:' : (named ?? '');
  if (rest.startsWith('?') && open === '') throw new Refused('has flags in a group');
  state.at += open.length;
  const { text, branches } = alternatives(state);
  state.at++;
  return { text: `(${open === '?:' ? '?:' : ''}${text})`, branches };
}

/** Empty when what came before is not repeated. */
function repetition(state: State): string {
  const rest = state.source.slice(state.at);
  const found = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(rest)?.[0] ?? '';
  state.at += found.length;
  if (/^(?:[*+]|\{\d+,\})/.test(found)) state.unbounded++;
  return found;
}

function escaped(state: State, inClass: boolean): string {
  const next = state.source[state.at++] ?? '';
  if (plainEscapes.has(next)) return `\\${next}`;
  if (next === 's') return inClass ? spaces : `[${spaces}]`;
  if (next === 'S' && !inClass) return `[^${spaces}]`;
  if ((next === 'b' || next === 'B') && !inClass) return `\\${next}`;
  if (next === 'z' && !inClass) return '\\z';
  const hex = /^x[0-7][0-9A-Fa-f]/.exec(next + state.source.slice(state.at))?.[0];
  if (hex !== undefined) {
    state.at += 2;
    return `\\${hex}`;
  }
  if (/^[^A-Za-z0-9]$/.test(next)) return quoted(next);
  throw new Refused(`has \\${next}`);
}

function characterClass(state: State): string {
  const start = state.source[state.at] === '^' ? '[^' : '[';
  state.at += start.length - 1;
  let text = start;
  for (let first = true; ; first = false) {
    const next = state.source[state.at];
    if (next === undefined) throw new Refused('has a class without an end');
    if (next === ']' && !first) break;
    const named = /^\[:\^?[a-z]+:\]/.exec(state.source.slice(state.at))?.[0];
    state.at += named?.length ?? 1;
    if (named !== undefined) text += named;
    else if (next === '\\') text += escaped(state, true);
    else text += next === '-' && !first && state.source[state.at] !== ']' ? '-' : quoted(next);
  }
  state.at++;
  return `${text}]`;
}

function quoted(character: string): string {
  if (/[A-Za-z0-9_/]/.test(character)) return character;
  if (character === ' ') return '\\x20';
  if (character === '\t') return '\\t';
  return `\\${character}`;
}
