/**
 * How one route is carried out, as lines of configuration. Where it has to name itself it says `self`: two routes that are carried out
 * alike have the same text, and can take each other's place without a new configuration.
 */
export type Shape = {
  /** Lines of its backend, but for its servers. */
  readonly lines: readonly string[];
  /** Sections of its own, beside the backend. */
  readonly sections: readonly string[];
  /** Options of each server. */
  readonly server: readonly string[];
  /** Each server is there again, for when none of the first is well: without checks. */
  readonly spares: boolean;
  readonly sticky: boolean;
};

/** Stands for the backend's name; no text of a route can have it. */
export const self = '\u0000';

export function shapeKey({ lines, sections, server, spares }: Shape): string {
  return [...lines, '', ...sections, '', ...server, spares].join('\n');
}

/** One address that takes requests. */
export type Server = {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly checkPort: number | undefined;
  /** 1 to 256. */
  readonly weight: number;
};

/** What follows `server` in a configuration, and `add server …/` on the runtime API. */
export function serverWords(server: Server, { server: options }: Shape): string {
  const checked = options.includes('check') && server.checkPort !== undefined;
  const port = checked ? ` port ${server.checkPort}` : '';
  return `${placeOf(server)} weight ${server.weight}${port}${options.map((option) => ` ${option}`).join('')}`;
}

/** The same address without checks, for when all others are sick. */
export function spareWords(server: Server, { server: options }: Shape): string {
  const kept = options.filter((option) => option.startsWith('proto '));
  return `${placeOf(server)} weight ${server.weight} backup${kept.map((option) => ` ${option}`).join('')}`;
}

export function spareName(name: string): string {
  return `p${name.slice(1)}`;
}

export function backendText(name: string, shape: Shape, servers: Iterable<Server>): string {
  const lines = [...shape.lines];
  for (const server of servers) {
    lines.push(`server ${server.name} ${serverWords(server, shape)}`);
    if (shape.spares) lines.push(`server ${spareName(server.name)} ${spareWords(server, shape)}`);
  }
  const backend = [`backend ${name}`, ...lines.map((line) => `  ${line}`)].join('\n');
  return [...shape.sections, backend].join('\n').replaceAll(self, name);
}

function placeOf({ address, port }: Server): string {
  return address.includes(':') ? `ipv6@[${address}]:${port}` : `ipv4@${address}:${port}`;
}
