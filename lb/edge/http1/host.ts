import { byteTable } from './characters.ts';

/** A Host value, split. `name` is lower case without a trailing dot: the key of a route. `text` is as it was sent. */
export type Host = { readonly text: string; readonly name: string };

const DOT = 46;
const simpleByte = byteTable((byte) => (/[a-z0-9.-]/.test(String.fromCharCode(byte)) ? 1 : 0));
const authorityPattern = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::([0-9]{0,5}))?$/;

/** Host as in RFC 9110 §7.2: a registered name or an address, with an optional port; undefined when it is neither. */
export function parseHost(text: string): Host | undefined {
  if (isSimple(text)) return { text, name: text };
  const match = authorityPattern.exec(text);
  if (match === null || Number(match[2] ?? 0) > 65535 || /%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const name = match[1]!.toLowerCase();
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return bare === '' ? undefined : { text, name: bare };
}

/** Lower-case letters, digits, dots and hyphens, without a dot at the end: a loop costs half of what an expression does. */
function isSimple(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (simpleByte[text.charCodeAt(i)] !== 1) return false;
  }
  return text !== '' && text.charCodeAt(text.length - 1) !== DOT;
}
