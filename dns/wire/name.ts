import { UnencodableError } from './errors.ts';
import { labelText, MAX_LABEL, MAX_NAME } from './name-text.ts';
import type { Name } from './types.ts';

const DOT = 0x2e;
const BACKSLASH = 0x5c;

export type NameRead =
  | { readonly kind: 'name'; readonly name: Name }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Text from people or from configuration, with or without a trailing dot, to the one text of its name. */
export function toName(text: string): NameRead {
  const labels = parseLabels(text === '.' ? '' : text);
  if (typeof labels === 'string') return { kind: 'invalid', reason: labels };
  const long = labels.find((label) => label.length > MAX_LABEL);
  if (long) return { kind: 'invalid', reason: `a label has ${long.length} bytes, at most 63 are allowed` };
  const length = labels.reduce((sum, label) => sum + label.length + 1, 1);
  if (length > MAX_NAME) {
    return { kind: 'invalid', reason: `it takes ${length} bytes on the wire, at most 255 are allowed` };
  }
  return { kind: 'name', name: labels.map(labelText).join('.') };
}

/** The labels of a name's text as bytes, or why there are none. */
function parseLabels(text: string): number[][] | string {
  if (text === '') return [];
  const labels: number[][] = [[]];
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (labels.at(-1)?.length === 0) return 'it has an empty label';
      if (at + 1 < text.length) labels.push([]);
      at += 1;
      continue;
    }
    const byte = byteAt(text, at);
    if (byte < 0) return `it has an unreadable character or escape at ${at}`;
    labels.at(-1)?.push(byte);
    at += charactersAt(text, at);
  }
  return labels;
}

/** The byte written at `at`, escapes resolved; -1 when the text does not say one. */
export function byteAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code !== BACKSLASH) return code > 0x7f ? -1 : code;
  const next = text.charCodeAt(at + 1);
  if (!isDigit(next)) return next >= 0x21 && next <= 0x7e ? next : -1;
  const digits = text.slice(at + 1, at + 4);
  const value = /^\d{3}$/.test(digits) ? Number(digits) : -1;
  return value <= 255 ? value : -1;
}

/** How many characters of the text the byte at `at` takes: 1, 2 (`\.`) or 4 (`\046`). */
export function charactersAt(text: string, at: number): number {
  if (text.charCodeAt(at) !== BACKSLASH) return 1;
  return isDigit(text.charCodeAt(at + 1)) ? 4 : 2;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** The index of the dot that ends the label starting at `from`, or the length of the text. */
export function labelEnd(text: string, from: number): number {
  const dot = text.indexOf('.', from);
  if (dot < 0) return text.length;
  if (text.charCodeAt(dot - 1) !== BACKSLASH) return dot;
  for (let at = from; at < text.length; at += charactersAt(text, at)) {
    if (text.charCodeAt(at) === DOT) return at;
  }
  return text.length;
}

/** The length of a name on the wire, uncompressed. */
export function wireLength(name: Name): number {
  if (name === '') return 1;
  if (!name.includes('\\')) return name.length + 2;
  let length = 2;
  for (let at = 0; at < name.length; at += charactersAt(name, at)) length += 1;
  return length;
}

/** Throws when a name does not fit on the wire; texts made by `toName` or read from a packet always do. */
export function assertFits(name: Name): void {
  if (name.length + 2 > MAX_NAME && wireLength(name) > MAX_NAME) {
    throw new UnencodableError(`Cannot encode the name ${name}: it takes over 255 bytes`);
  }
}
