import { Problem } from './problem.ts';

type Labels = Readonly<Record<string, string>>;

const word = String.raw`((?:[-A-Za-z0-9_.]|\\.)+)`;
const values = String.raw`\(\s*(${word}(?:\s*,\s*${word})*)\s*\)`;
const equality = new RegExp(`^${word}\\s*(==|!=)\\s*${word}$`);
const membership = new RegExp(`^${word}\\s+(in|notin)\\s+${values}$`);
const existence = new RegExp(`^${word}$`);

/** A label selector (Marathon §3.1): terms joined by commas, all of which must hold. Throws Problem 422. */
export function labelSelector(text: string): (labels: Labels) => boolean {
  const terms = splitTerms(text).map((term) => parseTerm(term.trim(), text));
  return (labels) => terms.every((term) => term(labels));
}

/** Commas inside parentheses, or behind a backslash, do not separate terms. */
function splitTerms(text: string): readonly string[] {
  const terms: string[] = [];
  let [start, depth] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\') at += 1;
    else if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...terms, text.slice(start)];
}

function parseTerm(term: string, whole: string): (labels: Labels) => boolean {
  const compared = equality.exec(term);
  if (compared !== null) {
    const [key, value, wanted] = [plain(compared[1]!), plain(compared[3]!), compared[2] === '=='];
    return (labels) => Object.hasOwn(labels, key) && (labels[key] === value) === wanted;
  }
  const listed = membership.exec(term);
  if (listed !== null) {
    const [key, wanted] = [plain(listed[1]!), listed[2] === 'in'];
    const members = listed[3]!.split(',').map((value) => plain(value.trim()));
    return (labels) => Object.hasOwn(labels, key) && members.includes(labels[key] ?? '') === wanted;
  }
  const named = existence.exec(term);
  if (named === null)
    throw new Problem(422, { message: `Cannot parse the label selector '${whole}': '${term}' is no term` });
  return (labels) => Object.hasOwn(labels, plain(named[1]!));
}

function plain(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}
