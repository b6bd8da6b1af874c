/** Connections in use by the server's name, from `show servers conn`; a server and its spare are one. */
export function connectionsInUse(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { name, used } of rows(text)) {
    const key = `s${name.slice(1)}`;
    if (used > 0) counts.set(key, (counts.get(key) ?? 0) + used);
  }
  return counts;
}

/** Servers with connections, those that only wait included. */
export function connectedServers(text: string): ReadonlySet<string> {
  return new Set([...rows(text)].flatMap(({ name, used, idle }) => (used + idle > 0 ? [name] : [])));
}

function* rows(
  text: string,
): Generator<{ readonly name: string; readonly used: number; readonly idle: number }> {
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const name = words[0]!.slice(words[0]!.indexOf('/') + 1);
    if (/^[sp][0-9a-f]{12}$/.test(name)) yield { name, used: Number(words[6]), idle: Number(words[12]) };
  }
}
