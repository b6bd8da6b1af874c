type Labels = Readonly<Record<string, string>>;

/** What parts the values of `edgelb.` labels (ingress.md A11). */
export type Delimiters = { readonly list: string; readonly item: string; readonly key: string };

export function delimitersIn(labels: Labels): Delimiters {
  return {
    list: labels['edgelb.delimiter'] || ',',
    item: labels['edgelb.item_delimiter'] || '|',
    key: labels['edgelb.key_delimiter'] || ':',
  };
}

export function listOf(text: string | undefined, delimiter: string): readonly string[] {
  return (text ?? '')
    .split(delimiter)
    .map((word) => word.trim())
    .filter((word) => word !== '');
}

/** A list of `hostEq:www.test.com|pathBeg:/bridge`; a text is the entry that is none. */
export function dictsIn(
  text: string,
  delimiters: Delimiters,
  keys: readonly string[],
): readonly Labels[] | string {
  const read = listOf(text, delimiters.list).map((entry) => dictIn(entry, delimiters, keys) ?? `'${entry}'`);
  const bad = read.find((entry) => typeof entry === 'string');
  return typeof bad === 'string' ? bad : read.filter((entry) => typeof entry !== 'string');
}

/** Undefined: it has another key than these, or one without a value. */
export function dictIn(text: string, { item, key }: Delimiters, keys: readonly string[]): Labels | undefined {
  const pairs = listOf(text, item).map((pair) => splitAt(pair, key));
  const isRead = pairs.length > 0 && pairs.every(([name, value]) => keys.includes(name) && value !== '');
  return isRead ? Object.fromEntries(pairs) : undefined;
}

export function splitAt(text: string, delimiter: string): readonly [string, string] {
  const at = text.indexOf(delimiter);
  return at === -1 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + delimiter.length).trim()];
}
