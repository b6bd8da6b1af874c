/** A Host value, split. `name` is lower case without a trailing dot: the key of a route. `text` is as it was sent. */
export type Host = { readonly text: string; readonly name: string };

const authorityPattern = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9\-._~!$&'()*+,;=%]+)(?::([0-9]{0,5}))?$/;
const simplePattern = /^[a-z0-9\-.]*[a-z0-9-]$/;

/** Host as in RFC 9110 §7.2: a registered name or an address, with an optional port; undefined when it is neither. */
export function parseHost(text: string): Host | undefined {
  if (simplePattern.test(text)) return { text, name: text };
  const match = authorityPattern.exec(text);
  if (match === null || Number(match[2] ?? 0) > 65535 || /%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const name = match[1]!.toLowerCase();
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return bare === '' ? undefined : { text, name: bare };
}
