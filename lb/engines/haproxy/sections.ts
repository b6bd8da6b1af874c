/** Files beside the configuration that a shape's lines name. */
export type ShapeFile = { readonly name: string; readonly text: string };

/**
 * How one route is carried out, as lines of configuration. Where it has to name itself it says `self`: two routes that are carried out
 * alike have the same text, and can take each other's place without a new configuration.
 */
export type Shape = {
  /** The section of defaults that it continues. */
  readonly from: 'requests' | 'streams';
  /** Lines of its backend, but for its servers. */
  readonly lines: readonly string[];
  /** Sections of its own, beside the backend. */
  readonly sections: readonly string[];
  /** Options of each server; those that say how it is spoken to, and those that say how it is. */
  readonly speech: readonly string[];
  readonly health: readonly string[];
  /** Its servers are asked how they are, and are there again for when none of the first is well: without checks. */
  readonly checks: boolean;
  /** The cookie that keeps a client with its server. */
  readonly cookie: string | undefined;
  /** Its lines call the script. */
  readonly isScripted: boolean;
  readonly files: readonly ShapeFile[];
  /** It may refuse who asks. */
  readonly restricts: boolean;
};

/** Stands for the backend's name; no text of a route can have it. */
export const self = '\u0000';

export function shapeKey({ from, lines, sections, speech, health, checks, cookie }: Shape): string {
  return [from, ...lines, '', ...sections, '', ...speech, '', ...health, checks, cookie ?? ''].join('\n');
}

/** One address that takes requests. */
export type Server = {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly checkPort: number | undefined;
  /** 1 to 256. */
  readonly weight: number;
  readonly isBackup: boolean;
  /** It is there again without checks. */
  readonly isSpared: boolean;
  /** What its clients' cookies say. */
  readonly cookie: string;
};

/** What follows `server` in a configuration, and `add server …/` on the runtime API. */
export function serverWords(server: Server, { speech, health, checks }: Shape): string {
  const port = checks && server.checkPort !== undefined ? [`port ${server.checkPort}`] : [];
  const backup = server.isBackup ? ['backup'] : [];
  return [placeOf(server), `weight ${server.weight}`, ...backup, ...port, ...speech, ...health].join(' ');
}

/** The same address without checks, for when all others are sick. */
export function spareWords(server: Server, { speech }: Shape): string {
  return [placeOf(server), `weight ${server.weight}`, 'backup', ...speech].join(' ');
}

export function spareName(name: string): string {
  return `p${name.slice(1)}`;
}

export function backendText(name: string, shape: Shape, servers: Iterable<Server>): string {
  const lines = [...shape.lines];
  for (const server of servers) {
    lines.push(`server ${server.name} ${serverWords(server, shape)}`);
    if (server.isSpared) lines.push(`server ${spareName(server.name)} ${spareWords(server, shape)}`);
  }
  const backend = [`backend ${name} from ${shape.from}`, ...lines.map((line) => `  ${line}`)].join('\n');
  return [...shape.sections, backend].join('\n').replaceAll(self, name);
}

/** Where it is, in HAProxy's words. */
export function placeOf({ address, port }: Pick<Server, 'address' | 'port'>): string {
  return address.includes(':') ? `ipv6@[${address}]:${port}` : `ipv4@${address}:${port}`;
}
