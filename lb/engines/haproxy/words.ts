/**
 * One word of a configuration, whatever is in it: HAProxy reads it back as the same text. An empty word cannot be told, since an
 * empty one ends a line's words.
 */
export function word(text: string): string {
  if (/^[A-Za-z0-9_./:,=@*+~;?&!<>|^()[\]%-]+$/.test(text)) return text;
  if (/^[ !-&(-~]+$/.test(text)) return `'${text}'`;
  return [...Buffer.from(text, 'utf8')].map(escaped).join('');
}

/** Text that HAProxy's formats (`%[…]`) leave as it is; still to be made a word. */
export function literal(text: string): string {
  return text.replaceAll('%', '%%');
}

/** One word of a command on the runtime API, where a semicolon ends a command. */
export function commandWord(text: string): string {
  return text.replace(/[\\; \t"'<]/g, '\\$&');
}

function escaped(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9_./:,=-]/.test(character) ? character : `\\x${byte.toString(16).padStart(2, '0')}`;
}
