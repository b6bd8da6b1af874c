import { createHash } from 'node:crypto';

export type ServerPlace = {
  /** Name of the machine; absent: nothing but the address is known. */
  readonly host?: string;
  readonly address: string;
  readonly port: number;
};

/** What marathon-lb calls a server (ingress.md B4): statistics, cookies and tools that read them agree on it. */
export function serverName({ host, address, port }: ServerPlace): string {
  const place = host === undefined || host === address ? `${address}_${port}` : `${host}_${address}_${port}`;
  return place.replace(/[^A-Za-z0-9-]/g, '_');
}

/** Its number among the servers of a backend (ingress.md B4), from 1 to 32766; `taken` are those of the servers before it. */
export function serverId(name: string, taken: ReadonlySet<number>): number {
  const digest = createHash('sha256').update(name).digest('hex');
  const id = Number(BigInt(`0x${digest}`) % 32_767n);
  return id === 0 || taken.has(id) ? serverId(`${name} ${digest}`, taken) : id;
}

/** What the cookie of a client that stays with a server says (ingress.md B2). */
export function cookieOf(name: string): string {
  return createHash('sha1').update(name).digest('hex').slice(0, 10);
}
