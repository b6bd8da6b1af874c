/** One client's connection, whatever its protocol. */
export interface Front {
  /** Lets requests in flight end, and closes; upgraded connections have so long. */
  close(withinMs: number): void;
  /** These routes are gone: what is in flight on them ends, and their tunnels have so long. */
  drain(routes: ReadonlySet<string>, withinMs: number): void;
  /** Now. */
  destroy(): void;
}
