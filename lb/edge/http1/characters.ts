/** Byte classes of RFC 9110 §5.6 and RFC 9112, as 256-entry tables. */

export const HTAB = 9;
export const LF = 10;
export const CR = 13;
export const SP = 32;
export const COLON = 58;
export const SEMICOLON = 59;

const tokenCharacters = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The lower-case form of a tchar, 0 for any other byte. */
export const tokenByte = byteTable((byte) => {
  const character = String.fromCharCode(byte);
  return tokenCharacters.includes(character) ? character.toLowerCase().charCodeAt(0) : 0;
});

/** The same with `_` as `-`: CGI and its heirs cannot tell one from the other. */
export const nameByte = byteTable((byte) => (byte === 95 ? 45 : tokenByte[byte]!));

/** 1 for HTAB, SP, VCHAR and obs-text. */
export const valueByte = byteTable((byte) => (byte === HTAB || (byte >= SP && byte !== 127) ? 1 : 0));

/** 1 for what may stand in a request-target: VCHAR but `#`, since a fragment is never sent (RFC 9110 §7.1). */
export const targetByte = byteTable((byte) => (byte > SP && byte < 127 && byte !== 35 ? 1 : 0));

/** 0..15 for a hexadecimal digit, 255 for any other byte. */
export const hexDigit = byteTable((byte) => {
  const value = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(value) ? 255 : value;
});

/** An entry for each byte. */
export function byteTable(entry: (byte: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => entry(byte));
}

/** Without spaces and tabs around it. Not by an expression: one that looks for blanks at the end tries every blank on its way there. */
export function withoutBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
