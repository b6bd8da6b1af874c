/** One client's connection, whatever its protocol. */
export interface Front {
  /** Lets requests in flight end, and closes; upgraded connections have so long. */
  close(withinMs: number): void;
  /** The next answer is the last; whoever is quiet may stay until then. Upgraded connections have so long. */
  leave(withinMs: number): void;
  /** These routes are gone: what is in flight on them ends, and their tunnels have so long. */
  drain(routes: ReadonlySet<string>, withinMs: number): void;
  /** Now. */
  destroy(): void;
}
