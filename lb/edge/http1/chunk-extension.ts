import { SEMICOLON, tokenByte, valueByte } from './characters.ts';

/** Where in the extensions of a chunk's size the next byte stands. */
export type ExtensionState =
  | 'semicolon'
  | 'name'
  | 'equals'
  | 'value'
  | 'quoted'
  | 'escaped'
  | 'quoted-end'
  | 'bad';

const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;

/**
 * RFC 9112 §7.1.1 without the blanks that it lets recipients tolerate. Extensions are never handed on, but whoever lets anything pass
 * here takes for an extension what another server takes for a line of content.
 */
export function afterExtensionByte(state: ExtensionState, byte: number): ExtensionState {
  switch (state) {
    case 'semicolon':
      return tokenByte[byte] === 0 ? 'bad' : 'name';
    case 'name':
      if (byte === EQUALS) return 'equals';
      return tokenByte[byte] === 0 ? next(byte) : 'name';
    case 'equals':
      if (byte === QUOTE) return 'quoted';
      return tokenByte[byte] === 0 ? 'bad' : 'value';
    case 'value':
      return tokenByte[byte] === 0 ? next(byte) : 'value';
    case 'quoted':
      return inQuotes(byte);
    case 'escaped':
      return valueByte[byte] === 1 ? 'quoted' : 'bad';
    default:
      return next(byte);
  }
}

/** Whether the line may end here. */
export function mayEndExtension(state: ExtensionState): boolean {
  return state === 'name' || state === 'value' || state === 'quoted-end';
}

function next(byte: number): ExtensionState {
  return byte === SEMICOLON ? 'semicolon' : 'bad';
}

function inQuotes(byte: number): ExtensionState {
  if (byte === QUOTE) return 'quoted-end';
  if (byte === BACKSLASH) return 'escaped';
  return valueByte[byte] === 1 ? 'quoted' : 'bad';
}
