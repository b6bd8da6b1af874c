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

/** Where these servers are: `b1/s0123456789ab`. */
export function placesOf(text: string, servers: ReadonlySet<string>): readonly string[] {
  return [...rows(text)].filter(({ name }) => servers.has(`s${name.slice(1)}`)).map(({ place }) => place);
}

type ConnectionRow = {
  readonly name: string;
  readonly place: string;
  readonly used: number;
  readonly idle: number;
};

function* rows(text: string): Generator<ConnectionRow> {
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const [place = ''] = words;
    const name = place.slice(place.indexOf('/') + 1);
    if (/^[sp][0-9a-f]{12}$/.test(name))
      yield { name, place, used: Number(words[6]), idle: Number(words[12]) };
  }
}
